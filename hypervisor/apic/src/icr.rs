//! The interrupt command register in x2APIC mode (SDM 11.12.9). Depends on `destination`, `mode`.

use crate::{DeliveryMode, Destination};

/// Bits that must be zero; bit 12 (delivery status in xAPIC mode) is dropped, as processors differ.
const RESERVED: u64 = 0xfff3_2000;
const DELIVERY_STATUS: u64 = 1 << 12;

/// An interprocessor interrupt to be delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ipi {
    /// What it does at its targets.
    pub mode: DeliveryMode,
    /// The vector; for [`DeliveryMode::Startup`] the number of the 4 KiB page to start in.
    pub vector: u8,
    /// Whom it is for.
    pub destination: Destination,
}

/// What an ICR value commands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// Send this.
    Send(Ipi),
    /// A fixed or lowest-priority IPI with a vector below 16: not sent, an error is gathered.
    IllegalVector,
    /// A reserved or obsolete form (INIT level de-assert, SMI: domains have no SMM): nothing.
    Nothing,
}

/// The value as it is kept and read back; `None` if reserved bits are set.
#[must_use]
pub const fn check(value: u64) -> Option<u64> {
    if value & RESERVED != 0 { None } else { Some(value & !DELIVERY_STATUS) }
}

/// What a checked value commands.
#[must_use]
pub fn decode(value: u64) -> Command {
    let vector = value as u8;
    let level_triggered = value >> 15 & 1 != 0;
    let asserted = value >> 14 & 1 != 0;
    let destination = match value >> 18 & 3 {
        1 => Destination::Itself,
        2 => Destination::All,
        3 => Destination::Others,
        _ => Destination::wide((value >> 32) as u32, value >> 11 & 1 != 0),
    };
    match DeliveryMode::of_ipi(value >> 8) {
        None | Some(DeliveryMode::Smi) => Command::Nothing,
        Some(DeliveryMode::Init) if level_triggered && !asserted => Command::Nothing,
        Some(DeliveryMode::Fixed | DeliveryMode::LowestPriority) if vector < 16 => Command::IllegalVector,
        Some(mode) => Command::Send(Ipi { mode, vector, destination }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(mode: DeliveryMode, vector: u8, destination: Destination) -> Command {
        Command::Send(Ipi { mode, vector, destination })
    }

    #[test]
    fn what_linux_sends() {
        // Reschedule to x2APIC identifier 3, physical.
        assert_eq!(decode(3 << 32 | 0xfd), send(DeliveryMode::Fixed, 0xfd, Destination::Physical(3)));
        // INIT assert, INIT de-assert, start-up at 0x98000.
        assert_eq!(decode(1 << 32 | 0xc500), send(DeliveryMode::Init, 0, Destination::Physical(1)));
        assert_eq!(decode(1 << 32 | 0x8500), Command::Nothing);
        assert_eq!(decode(1 << 32 | 0x698), send(DeliveryMode::Startup, 0x98, Destination::Physical(1)));
        // Only a level-triggered INIT can be a de-assertion.
        assert_eq!(decode(1 << 32 | 0x500), send(DeliveryMode::Init, 0, Destination::Physical(1)));
        // NMI to all but self.
        assert_eq!(decode(0xc0400), send(DeliveryMode::Nmi, 0, Destination::Others));
        // Cluster 1, members 0 and 1.
        assert_eq!(decode(0x1_0003 << 32 | 0x8fb), send(DeliveryMode::Fixed, 0xfb, Destination::Logical(0x1_0003)));
    }

    #[test]
    fn reserved_bits_are_refused() {
        for bit in [13, 16, 17, 20, 25, 31] {
            assert_eq!(check(1 << bit), None, "bit {bit}");
        }
        assert_eq!(check(0xffff_ffff_0000_0000 | 0xc_dfff), Some(0xffff_ffff_000c_cfff));
    }

    #[test]
    fn odd_forms_do_nothing() {
        assert_eq!(decode(0x0f), Command::IllegalVector);
        assert_eq!(decode(0x10f), Command::IllegalVector);
        assert_eq!(decode(0x200), Command::Nothing);
        assert_eq!(decode(0x330), Command::Nothing);
        assert_eq!(decode(0x730), Command::Nothing);
    }
}
