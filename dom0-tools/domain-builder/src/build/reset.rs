//! The code at the reset vector of real mode, where firmware would be. Stock Linux on a reduced ACPI machine
//! without EFI jumps there to reboot, instead of using the reset register that the FADT names.

use abi::platform::{RESET_PORT, RESET_VALUE};

/// Writes [`RESET_VALUE`] to [`RESET_PORT`]. Fits into the 16 bytes below 1 MiB.
pub(super) const fn vector() -> [u8; 9] {
    let [low, high] = RESET_PORT.to_le_bytes();
    // mov dx, RESET_PORT; mov al, RESET_VALUE; out dx, al; hlt; jmp back to the hlt
    [0xba, low, high, 0xb0, RESET_VALUE, 0xee, 0xf4, 0xeb, 0xfd]
}
