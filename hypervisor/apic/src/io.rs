//! An IO-APIC (82093AA, with the EOI register of its successors: version 0x20). Depends on `redirection`.
//!
//! Serves guests as their IO-APIC, and dom0 as the register file in front of a real one: then the hypervisor
//! carries entries over (see `vet`), and the only line that it asserts is the one it drives itself.
//! Lines are logical: asserted is asserted, whatever the entry's polarity.
//! Invariant: a level-triggered pin has at most one interrupt between delivery and EOI.

use crate::redirection::RedirectionEntry;
use crate::{DeliveryMode, Destination, Vectors256};
use heapless::Vec;

/// Offset of the index register.
pub const SELECT: u64 = 0x00;
/// Offset of the data window.
pub const WINDOW: u64 = 0x10;
/// Offset of the EOI register.
pub const EOI: u64 = 0x40;

/// Version register, low byte.
const VERSION: u32 = 0x20;

/// An interrupt message on its way to local APICs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// The vector.
    pub vector: u8,
    /// What it does there; with [`DeliveryMode::LowestPriority`] at one of the targets only.
    pub mode: DeliveryMode,
    /// Whom it is for.
    pub destination: Destination,
    /// Level triggered: its EOI must come back to [`IoApic::eoi`].
    pub level: bool,
}

/// What a write did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Written {
    /// Nothing that matters outside.
    Nothing,
    /// The entry of `pin` was written; `delivery` is due if its line was waiting for that.
    Entry {
        /// The pin.
        pin: u8,
        /// What to deliver.
        delivery: Option<Delivery>,
    },
    /// The EOI register was written: call [`IoApic::eoi`] with this vector.
    Eoi(u8),
}

/// An IO-APIC with `PINS` inputs (at most 120, as the index register reaches no more).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IoApic<const PINS: usize = 24> {
    id: u8,
    select: u8,
    entries: [RedirectionEntry; PINS],
    lines: Vectors256,
}

impl<const PINS: usize> IoApic<PINS> {
    const FITS: () = assert!(PINS > 0 && PINS <= 120);

    /// An IO-APIC with this identifier (4 bits), all pins masked.
    #[must_use]
    pub const fn new(id: u8) -> Self {
        let () = Self::FITS;
        Self { id: id & 15, select: 0, entries: [RedirectionEntry::RESET; PINS], lines: Vectors256::EMPTY }
    }

    /// The entry of `pin`.
    #[must_use]
    pub fn entry(&self, pin: u8) -> Option<RedirectionEntry> {
        self.entries.get(usize::from(pin)).copied()
    }

    /// The pin and half that the index register selects.
    const fn selected(&self) -> Option<(u8, bool)> {
        match self.select.checked_sub(0x10) {
            Some(word) if (word as usize) < 2 * PINS => Some((word / 2, word % 2 != 0)),
            _ => None,
        }
    }

    /// A read of `len` bytes at `offset`. Registers are 32 bits; other accesses read as 0.
    #[must_use]
    pub fn read(&self, offset: u64, len: usize) -> u32 {
        if len != 4 {
            return 0;
        }
        match (offset, self.select) {
            (SELECT, select) => select.into(),
            // Identifier and arbitration identifier.
            (WINDOW, 0 | 2) => u32::from(self.id) << 24,
            (WINDOW, 1) => (PINS as u32 - 1) << 16 | VERSION,
            (WINDOW, _) => self
                .selected()
                .and_then(|(pin, high)| {
                    let bits = self.entry(pin)?.bits();
                    Some(if high { (bits >> 32) as u32 } else { bits as u32 })
                })
                .unwrap_or(0),
            _ => 0,
        }
    }

    /// A write of the low `len` bytes of `value` at `offset`. The index register also takes narrow writes.
    pub fn write(&mut self, offset: u64, len: usize, value: u32) -> Written {
        match (offset, len) {
            (SELECT, 1..=4) => self.select = value as u8,
            (EOI, 4) => return Written::Eoi(value as u8),
            (WINDOW, 4) if self.select == 0 => self.id = (value >> 24) as u8 & 15,
            (WINDOW, 4) => {
                if let Some((pin, high)) = self.selected()
                    && let Some(entry) = self.entries.get_mut(usize::from(pin))
                {
                    *entry = entry.written(high, value);
                    return Written::Entry { pin, delivery: self.level(pin) };
                }
            }
            _ => {}
        }
        Written::Nothing
    }

    fn message(entry: RedirectionEntry) -> Option<Delivery> {
        let mode = entry.mode().filter(|mode| *mode != DeliveryMode::Smi)?;
        let level = entry.level() && matches!(mode, DeliveryMode::Fixed | DeliveryMode::LowestPriority);
        (!entry.masked()).then_some(Delivery { vector: entry.vector(), mode, destination: entry.destination(), level })
    }

    /// Delivers a level-triggered pin if it is asserted and its last interrupt has ended.
    fn level(&mut self, pin: u8) -> Option<Delivery> {
        let asserted = self.lines.contains(pin);
        let entry = self.entries.get_mut(usize::from(pin))?;
        if !entry.level() || !asserted || entry.remote_irr() {
            return None;
        }
        let delivery = Self::message(*entry)?;
        *entry = entry.with_remote_irr(delivery.level);
        Some(delivery)
    }

    /// The line of `pin` goes active. An edge while the pin is masked is lost, as in the real one.
    pub fn assert(&mut self, pin: u8) -> Option<Delivery> {
        let entry = self.entry(pin)?;
        let edge = self.lines.insert(pin);
        if entry.level() { self.level(pin) } else { Self::message(entry).filter(|_| edge) }
    }

    /// The line of `pin` goes inactive.
    pub const fn deassert(&mut self, pin: u8) {
        self.lines.remove(pin);
    }

    /// The line of `pin` goes active and inactive again.
    pub fn pulse(&mut self, pin: u8) -> Option<Delivery> {
        self.deassert(pin);
        let delivery = self.assert(pin);
        self.deassert(pin);
        delivery
    }

    /// Service of `vector` ended: level-triggered pins with it are delivered again if still asserted.
    pub fn eoi(&mut self, vector: u8) -> Vec<Delivery, PINS> {
        let mut again = Vec::new();
        for pin in 0..PINS as u8 {
            let Some(entry) = self.entries.get_mut(usize::from(pin)) else {
                break;
            };
            if entry.level() && entry.remote_irr() && entry.vector() == vector {
                *entry = entry.with_remote_irr(false);
                // There is room: at most one for each pin.
                let _ = self.level(pin).map(|delivery| again.push(delivery));
            }
        }
        again
    }
}
