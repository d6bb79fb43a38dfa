//! Output through the 16550.

use crate::cpu::{in8, out8};
use abi::platform::UART_PORT;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

/// Line status: the transmitter takes a byte.
const READY: u8 = 1 << 5;
static BUSY: AtomicBool = AtomicBool::new(false);

struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            let mut patience = 1_000_000;
            while in8(UART_PORT + 5) & READY == 0 && patience > 0 {
                patience -= 1;
            }
            out8(UART_PORT, byte);
        }
        Ok(())
    }
}

/// Writes a line whole, whichever processor asks.
pub fn write(text: fmt::Arguments<'_>) {
    while BUSY.swap(true, Ordering::Acquire) {
        core::hint::spin_loop();
    }
    let _ = fmt::write(&mut Console, text);
    let _ = fmt::Write::write_str(&mut Console, "\n");
    BUSY.store(false, Ordering::Release);
}

/// Prints a line as `std::println!`.
#[macro_export]
macro_rules! println {
    ($($text:tt)*) => { $crate::device::console::write(format_args!($($text)*)) };
}
