//! Taking CPUs out of the MADT that dom0 will read (ACPI 6.5, 5.2.12).

use crate::memory::direct;

/// Bytes before the first entry: the header, the local APICs' address, flags.
const ENTRIES: u64 = 44;
const CHECKSUM: u64 = 9;
/// "Enabled" and "online capable".
const USABLE: u8 = 0b11;

/// Where the table is. Its length and checksum were found right.
#[derive(Clone, Copy, Default)]
pub struct MadtPlace {
    /// Physical address.
    pub address: u64,
    /// Bytes.
    pub len: u64,
}

impl MadtPlace {
    /// Marks the CPUs whose local APIC identifiers are not kept as ones that cannot be used.
    pub fn hide_cpus(self, keep: impl Fn(u32) -> bool) {
        let mut at = ENTRIES;
        while at + 2 <= self.len {
            let len = u64::from(self.byte(at + 1));
            if len < 2 || at + len > self.len {
                return;
            }
            match (self.byte(at), len) {
                (0, 8) if !keep(self.byte(at + 3).into()) => self.make_unusable(at + 4),
                (9, 16) if !keep(u32::from_le_bytes(self.bytes(at + 4))) => self.make_unusable(at + 8),
                _ => {}
            }
            at += len;
        }
    }

    fn make_unusable(self, flags: u64) {
        let old = self.byte(flags);
        let new = old & !USABLE;
        self.set_byte(flags, new);
        // All bytes together must still be 0.
        self.set_byte(CHECKSUM, self.byte(CHECKSUM).wrapping_add(old - new));
    }

    fn byte(self, offset: u64) -> u8 {
        let [byte] = self.bytes(offset);
        byte
    }

    fn bytes<const N: usize>(self, offset: u64) -> [u8; N] {
        let mut bytes = [0; N];
        direct::read_bytes(self.address + offset, &mut bytes);
        bytes
    }

    fn set_byte(self, offset: u64, value: u8) {
        direct::write_bytes(self.address + offset, &[value]);
    }
}
