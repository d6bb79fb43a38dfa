//! I/O ports of the real machine.

/// Reads a byte.
pub fn read8(port: u16) -> u8 {
    // SAFETY: port I/O cannot touch the hypervisor's memory; callers name device ports only.
    unsafe { x86::io::inb(port) }
}
/// Reads 16 bits.
pub fn read16(port: u16) -> u16 {
    // SAFETY: as above.
    unsafe { x86::io::inw(port) }
}
/// Reads 32 bits.
pub fn read32(port: u16) -> u32 {
    // SAFETY: as above.
    unsafe { x86::io::inl(port) }
}
/// Writes a byte.
pub fn write8(port: u16, value: u8) {
    // SAFETY: as above.
    unsafe { x86::io::outb(port, value) }
}
/// Writes 16 bits.
pub fn write16(port: u16, value: u16) {
    // SAFETY: as above.
    unsafe { x86::io::outw(port, value) }
}
/// Writes 32 bits.
pub fn write32(port: u16, value: u32) {
    // SAFETY: as above.
    unsafe { x86::io::outl(port, value) }
}
