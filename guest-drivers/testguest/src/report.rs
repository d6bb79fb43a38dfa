//! What a test guest says, and how it ends.

use crate::boot::command_line;
use crate::cpu::interrupts::Frame;
use crate::cpu::{self, out32};
use crate::println;
use core::fmt;

/// Why a case failed.
pub struct Failure(heapless::String<112>);

impl Failure {
    /// From a text; pieces that do not fit are left out.
    pub fn new(text: fmt::Arguments<'_>) -> Self {
        let mut why = heapless::String::new();
        let _ = fmt::write(&mut why, text);
        Self(why)
    }
}

/// A case's result.
pub type Outcome = Result<(), Failure>;

/// Leaves the case as failed, with a text as for `format!`.
#[macro_export]
macro_rules! fail {
    ($($text:tt)*) => {
        return Err($crate::report::Failure::new(format_args!($($text)*)))
    };
}

/// Leaves the case as failed unless the condition holds.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($text:tt)*) => {
        if !$condition {
            $crate::fail!($($text)*)
        }
    };
}

/// Says the outcome and ends the domain.
pub fn end(outcome: Outcome) -> ! {
    let name = command_line::case();
    match outcome {
        Ok(()) => {
            println!("PASS {name}");
            exit(0)
        }
        Err(Failure(why)) => {
            println!("FAIL {name}: {why}");
            exit(1)
        }
    }
}

/// An exception that no case expected.
pub fn fault(frame: &Frame) -> ! {
    let cr2: u64;
    // SAFETY: reads a register.
    unsafe { core::arch::asm!("mov {}, cr2", out(reg) cr2, options(nostack, nomem)) }
    end(Err(Failure::new(format_args!(
        "exception {} error {:#x} at {:#x}, cr2 {cr2:#x}",
        frame.vector, frame.error, frame.rip
    ))))
}

/// Ends the domain with `code`; where the exit port is missing, halts.
fn exit(code: u32) -> ! {
    out32(abi::platform::EXIT_PORT, code);
    loop {
        cpu::halt_forever_step();
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    let (file, line) = info.location().map_or(("?", 0), |place| (place.file(), place.line()));
    println!("FAIL {}: panic at {file}:{line}: {}", command_line::case(), info.message());
    exit(2)
}
