//! Ports: all widths and the string forms; unknown ports read as all ones and swallow writes.

use crate::cpu::{in8, in16, in32, out8, out16, out32};
use crate::ensure;
use crate::report::Outcome;
use abi::platform::{DEBUG_PORT, UART_PORT};
use core::arch::asm;

/// Scratch register of the 16550.
const SCRATCH: u16 = UART_PORT + 7;

pub fn run() -> Outcome {
    // No PCI, PIC, PIT, RTC, keyboard or VGA; and ports that nobody has.
    for port in [0xcf8u16, 0x20, 0x40, 0x70, 0x64, 0x3d4, 0x1234, 0xfffc] {
        let read = (in8(port), in16(port), in32(port));
        ensure!(read == (0xff, 0xffff, 0xffff_ffff), "port {port:#x} reads {:#x} {:#x} {:#x}", read.0, read.1, read.2);
        out8(port, 1);
        out16(port, 1);
        out32(port, 1);
    }
    ensure!(in8(DEBUG_PORT) == 0xe9, "the debug port reads {:#x}", in8(DEBUG_PORT));
    for value in [0x00, 0x5a, 0xff] {
        out8(SCRATCH, value);
        ensure!(in8(SCRATCH) == value, "the scratch register reads {:#x} after {value:#x}", in8(SCRATCH));
    }
    narrow_results()?;
    strings()
}

/// IN changes al, ax or eax, and no more than the architecture says.
fn narrow_results() -> Outcome {
    let (mut byte, mut word, mut long) = (0x1122_3344_5566_7788u64, 0x1122_3344_5566_7788u64, 0x1122_3344_5566_7788u64);
    // SAFETY: reads of a port that has no effects.
    unsafe {
        asm!("in al, 0xe9", inout("rax") byte);
        asm!("in ax, dx", inout("rax") word, in("dx") 0x1234u16);
        asm!("in eax, dx", inout("rax") long, in("dx") 0x1234u16);
    }
    ensure!(byte == 0x1122_3344_5566_77e9, "in al gave rax {byte:#x}");
    ensure!(word == 0x1122_3344_5566_ffff, "in ax gave rax {word:#x}");
    ensure!(long == 0xffff_ffff, "in eax gave rax {long:#x}");
    Ok(())
}

fn strings() -> Outcome {
    let mut buffer = [0u8; 16];
    let (mut count, mut end) = (12u64, buffer.as_mut_ptr());
    // SAFETY: 12 bytes go to the buffer.
    unsafe { asm!("rep insb", inout("rcx") count, inout("rdi") end, in("dx") DEBUG_PORT) };
    ensure!(count == 0 && end as u64 == buffer.as_ptr() as u64 + 12, "rep insb left rcx {count}");
    ensure!(buffer[..12] == [0xe9; 12] && buffer[12..] == [0; 4], "rep insb left {buffer:x?}");
    // SAFETY: 4 bytes go to the buffer, downwards; the direction is restored.
    unsafe { asm!("std", "insw", "insw", "cld", inout("rdi") buffer.as_mut_ptr().add(2) => _, in("dx") 0x1234u16) };
    // The second word lies at the buffer's start.
    ensure!(buffer[..4] == [0xff; 4], "insw downwards left {buffer:x?}");
    let bytes = [0x11u8, 0x22, 0x33, 0x44];
    // SAFETY: the bytes are read; the last stays in the scratch register.
    unsafe { asm!("rep outsb", inout("rcx") 4u64 => _, inout("rsi") bytes.as_ptr() => _, in("dx") SCRATCH) };
    ensure!(in8(SCRATCH) == 0x44, "rep outsb left {:#x}", in8(SCRATCH));
    // SAFETY: a count of zero: nothing is read.
    unsafe { asm!("rep outsb", inout("rcx") 0u64 => _, inout("rsi") bytes.as_ptr() => _, in("dx") SCRATCH) };
    ensure!(in8(SCRATCH) == 0x44, "rep outsb of nothing left {:#x}", in8(SCRATCH));
    Ok(())
}
