//! The debug port, through which frames leave the machine.

use init::frame::{Kind, PORT, encode};
use std::arch::asm;

/// The right to write to the port.
pub struct Port(());

impl Port {
    /// Asks the kernel for the port.
    pub fn open() -> std::io::Result<Self> {
        // SAFETY: ioperm changes only this thread's right to one port that no driver uses.
        match unsafe { libc::ioperm(PORT.into(), 1, 1) } {
            0 => Ok(Self(())),
            _ => Err(std::io::Error::last_os_error()),
        }
    }

    /// Sends a payload.
    pub fn send(&self, kind: Kind, payload: &[u8]) {
        let bytes = encode(kind, payload);
        // SAFETY: `open` got the right to the port, on this thread (`Port` is not moved to
        // another); the instruction reads exactly `len` bytes of the live buffer.
        unsafe {
            asm!("rep outsb", in("dx") PORT, inout("rsi") bytes.as_ptr() => _, inout("rcx") bytes.len() => _,
                 options(readonly, nostack, preserves_flags));
        }
    }
}
