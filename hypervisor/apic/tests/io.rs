//! The IO-APIC: registers, triggers, and a model of level lines.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use apic::io::{EOI, SELECT, WINDOW};
use apic::{Delivery, DeliveryMode, Destination, IoApic, Written};
use proptest::prelude::*;

fn write(io: &mut IoApic, register: u32, value: u32) -> Written {
    assert_eq!(io.write(SELECT, 4, register), Written::Nothing);
    io.write(WINDOW, 4, value)
}

fn read(io: &mut IoApic, register: u32) -> u32 {
    io.write(SELECT, 4, register);
    io.read(WINDOW, 4)
}

fn set(io: &mut IoApic, pin: u8, entry: u64) -> Option<Delivery> {
    let register = 0x10 + 2 * u32::from(pin);
    write(io, register + 1, (entry >> 32) as u32);
    match write(io, register, entry as u32) {
        Written::Entry { pin: written, delivery } if written == pin => delivery,
        other => panic!("{other:?}"),
    }
}

fn to_first(vector: u8, level: bool) -> Delivery {
    Delivery { vector, mode: DeliveryMode::Fixed, destination: Destination::Physical(0), level }
}

#[test]
fn registers() {
    let mut io = IoApic::new(5);
    assert_eq!(read(&mut io, 0), 5 << 24);
    assert_eq!(read(&mut io, 1), 0x0017_0020);
    assert_eq!(write(&mut io, 0, 0xffff_ffff), Written::Nothing);
    assert_eq!(read(&mut io, 2), 15 << 24);
    assert_eq!(read(&mut io, 0x10), 0x1_0000);
    assert_eq!(write(&mut io, 0x3f, 0xffff_ffff), Written::Entry { pin: 23, delivery: None });
    assert_eq!(read(&mut io, 0x3f), 0xff00_0000);
    write(&mut io, 0x10, 0xffff_ffff);
    assert_eq!(read(&mut io, 0x10), 0x1_afff, "status bits are read only, reserved ones zero");
    for register in [0x03, 0x0f, 0x40, 0xff] {
        assert_eq!(write(&mut io, register, 1), Written::Nothing);
        assert_eq!(read(&mut io, register), 0);
    }
    assert_eq!(io.write(EOI, 4, 0x31), Written::Eoi(0x31));
    for (offset, len) in [(4, 4), (WINDOW, 1), (WINDOW, 8), (EOI, 2), (u64::MAX, 4)] {
        assert_eq!(io.write(offset, len, 0), Written::Nothing);
    }
    assert_eq!(io.read(WINDOW, 8), 0);
}

#[test]
fn edges() {
    let mut io = IoApic::new(0);
    assert_eq!(io.pulse(6), None, "masked: lost");
    assert_eq!(set(&mut io, 6, 0x31), None);
    assert_eq!(io.pulse(6), Some(to_first(0x31, false)));
    assert_eq!(io.assert(6), Some(to_first(0x31, false)));
    assert_eq!(io.assert(6), None, "no new edge");
    io.deassert(6);
    assert_eq!(io.assert(6), Some(to_first(0x31, false)));
    assert_eq!(io.pulse(24), None);
}

#[test]
fn levels_are_delivered_again_after_their_end() {
    let mut io = IoApic::new(0);
    assert_eq!(io.assert(9), None);
    assert_eq!(set(&mut io, 9, 0x8040), Some(to_first(0x40, true)), "unmasking delivers");
    assert_eq!(read(&mut io, 0x10 + 18), 0xc040);
    assert_eq!(io.assert(9), None);
    assert_eq!(io.eoi(0x41)[..], []);
    assert_eq!(io.eoi(0x40)[..], [to_first(0x40, true)]);
    io.deassert(9);
    assert_eq!(io.eoi(0x40)[..], []);
    assert_eq!(read(&mut io, 0x10 + 18), 0x8040);
}

#[test]
fn pins_may_share_a_vector() {
    let mut io = IoApic::new(0);
    set(&mut io, 3, 0x8040);
    set(&mut io, 7, 0x0200_0000_0000_8040);
    io.assert(3);
    io.assert(7);
    let second = Delivery { destination: Destination::Physical(2), ..to_first(0x40, true) };
    assert_eq!(io.eoi(0x40)[..], [to_first(0x40, true), second]);
}

/// Software clears a stuck remote IRR by making the entry edge triggered and back.
#[test]
fn edge_and_back_clears_remote_irr() {
    let mut io = IoApic::new(0);
    set(&mut io, 3, 0x8040);
    io.assert(3);
    io.deassert(3);
    set(&mut io, 3, 0x1_0040);
    set(&mut io, 3, 0x1_8040);
    assert_eq!(read(&mut io, 0x16), 0x1_8040);
}

#[test]
fn modes_and_destinations() {
    let mut io = IoApic::new(0);
    set(&mut io, 1, 0x0300_0000_0000_0931);
    let lowest = Delivery {
        vector: 0x31,
        mode: DeliveryMode::LowestPriority,
        destination: Destination::Logical(3),
        level: false,
    };
    assert_eq!(io.pulse(1), Some(lowest));
    set(&mut io, 1, 0xff00_0000_0000_8400);
    let nmi = Delivery { vector: 0, mode: DeliveryMode::Nmi, destination: Destination::All, level: false };
    assert_eq!(io.pulse(1), Some(nmi));
    assert!(!io.entry(1).unwrap().remote_irr(), "an NMI has no end to wait for");
    for mode in [0x200, 0x300, 0x600] {
        set(&mut io, 1, 0x31 | mode);
        assert_eq!(io.pulse(1), None, "SMI and reserved modes are not delivered");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Assert(u8),
    Deassert(u8),
    Mask(u8, bool),
    Eoi(u8),
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    /// A level line that is asserted and unmasked is in service or was just delivered; never both twice.
    #[test]
    fn levels_are_neither_lost_nor_doubled(steps in prop::collection::vec(prop_oneof![
        (0u8..4).prop_map(Step::Assert),
        (0u8..4).prop_map(Step::Deassert),
        (0u8..4, any::<bool>()).prop_map(|(pin, masked)| Step::Mask(pin, masked)),
        (0x30u8..0x34).prop_map(Step::Eoi),
    ], 0..100)) {
        let mut io = IoApic::new(0);
        let (mut line, mut masked, mut serving) = ([false; 4], [true; 4], [false; 4]);
        for pin in 0..4 {
            set(&mut io, pin, 0x1_8030 | u64::from(pin));
        }
        for step in steps {
            let mut delivered = Vec::new();
            match step {
                Step::Assert(pin) => {
                    line[usize::from(pin)] = true;
                    delivered.extend(io.assert(pin));
                }
                Step::Deassert(pin) => {
                    line[usize::from(pin)] = false;
                    io.deassert(pin);
                }
                Step::Mask(pin, on) => {
                    masked[usize::from(pin)] = on;
                    delivered.extend(set(&mut io, pin, u64::from(on) << 16 | 0x8030 | u64::from(pin)));
                }
                Step::Eoi(vector) => {
                    serving[usize::from(vector - 0x30)] = false;
                    delivered.extend(io.eoi(vector));
                }
            }
            for delivery in delivered {
                let pin = usize::from(delivery.vector - 0x30);
                prop_assert!(line[pin] && !masked[pin] && !serving[pin]);
                serving[pin] = true;
            }
            for pin in 0..4 {
                prop_assert!(serving[pin] || masked[pin] || !line[pin], "pin {} was lost", pin);
            }
        }
    }
}
