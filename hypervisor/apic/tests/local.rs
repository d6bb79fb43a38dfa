//! The local APIC: single rules of SDM volume 3, chapter 11.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use apic::{Clock, DeliveryMode, Destination, Effect, Fault, Ipi, LocalApic, LocalSource, Signal, registers as reg};

fn enabled() -> LocalApic {
    let mut apic = LocalApic::new(0x25, true, Clock::new(1_000_000));
    apic.write(reg::SVR, 0x1ff, 0).unwrap();
    apic
}

#[test]
fn identity() {
    let apic = enabled();
    assert_eq!(apic.read(reg::ID, 0), Ok(0x25));
    assert_eq!(apic.read(reg::LDR, 0), Ok(0x2_0020));
    assert_eq!(apic.read(reg::VERSION, 0), Ok(0x6_0014));
    assert_eq!(apic.base(), 0xfee0_0d00);
    assert_eq!(LocalApic::new(1, false, Clock::new(1)).base(), 0xfee0_0c00);
    assert_eq!(apic.set_base(apic.base()), Ok(()));
    assert_eq!(apic.set_base(0xfee0_0900), Err(Fault));
}

#[test]
fn the_register_map_is_exact() {
    let read_only = [reg::ID, reg::VERSION, reg::PPR, reg::LDR, reg::CURRENT_COUNT];
    let write_only = [reg::EOI, reg::SELF_IPI];
    let both = [
        reg::TPR,
        reg::SVR,
        reg::ESR,
        reg::LVT_CMCI,
        reg::ICR,
        reg::LVT_TIMER,
        reg::LVT_THERMAL,
        reg::LVT_PERF,
        reg::LVT_LINT0,
        reg::LVT_LINT1,
        reg::LVT_ERROR,
        reg::INITIAL_COUNT,
        reg::DIVIDE,
    ];
    for index in 0x7ff..0x900 {
        let bits = (reg::ISR..reg::ESR).contains(&index);
        let mut apic = enabled();
        let reads = bits || read_only.contains(&index) || both.contains(&index);
        let writes = write_only.contains(&index) || both.contains(&index);
        assert_eq!(apic.read(index, 0).is_ok(), reads, "read {index:#x}");
        assert_eq!(apic.write(index, 0, 0).is_ok(), writes, "write {index:#x}");
    }
}

#[test]
fn reserved_bits_fault() {
    for (index, value) in [
        (reg::TPR, 0x100),
        (reg::SVR, 0x1000),
        (reg::SVR, 0x400),
        (reg::EOI, 1),
        (reg::ESR, 1),
        (reg::ICR, 1 << 13),
        (reg::LVT_TIMER, 3 << 17),
        (reg::LVT_TIMER, 0x100),
        (reg::LVT_TIMER, 1 << 19),
        (reg::LVT_ERROR, 0x100),
        (reg::LVT_PERF, 1 << 13),
        (reg::LVT_LINT0, 1 << 11),
        (reg::DIVIDE, 4),
        (reg::SELF_IPI, 0x100),
        (reg::INITIAL_COUNT, 1 << 32),
        (reg::TPR, 1 << 32),
        (reg::LVT_LINT1, 1 << 40),
    ] {
        assert_eq!(enabled().write(index, value, 0), Err(Fault), "{index:#x} {value:#x}");
    }
}

#[test]
fn software_disable_masks_and_refuses() {
    let mut apic = LocalApic::new(0, true, Clock::new(1));
    apic.write(reg::LVT_TIMER, 0x30, 0).unwrap();
    assert_eq!(apic.read(reg::LVT_TIMER, 0), Ok(0x1_0030), "unmasking is ignored");
    assert!(!apic.raise(0x40, false));
    apic.write(reg::SVR, 0x1ff, 0).unwrap();
    assert!(apic.raise(0x40, false));
    apic.write(reg::LVT_ERROR, 0xfe, 0).unwrap();
    apic.write(reg::SVR, 0xff, 0).unwrap();
    assert_eq!(apic.read(reg::LVT_ERROR, 0), Ok(0x1_00fe));
    assert_eq!(apic.pending(), None);
    apic.write(reg::SVR, 0x1ff, 0).unwrap();
    assert_eq!(apic.pending(), Some(0x40), "requests are held");
}

#[test]
fn interrupts_nest_by_class() {
    let mut apic = enabled();
    apic.raise(0x41, false);
    assert!(apic.accept(0x41));
    assert!(!apic.accept(0x41), "it is requested no more");
    apic.raise(0x4f, false);
    assert_eq!(apic.pending(), None, "same class");
    apic.raise(0x50, true);
    assert_eq!(apic.pending(), Some(0x50));
    assert!(apic.accept(0x50));
    assert_eq!(apic.write(reg::EOI, 0, 0), Ok(Effect::Eoi { vector: 0x50, was_level: true }));
    assert_eq!(apic.write(reg::EOI, 0, 0), Ok(Effect::Eoi { vector: 0x41, was_level: false }));
    assert_eq!(apic.write(reg::EOI, 0, 0), Ok(Effect::None));
    assert_eq!(apic.pending(), Some(0x4f));
    apic.set_tpr(0x40);
    assert_eq!(apic.pending(), None);
}

#[test]
fn ipis() {
    let mut apic = enabled();
    let ipi = Ipi { mode: DeliveryMode::Fixed, vector: 0xfd, destination: Destination::Physical(1) };
    assert_eq!(apic.write(reg::ICR, 1 << 32 | 0xfd, 0), Ok(Effect::SendIpi(ipi)));
    assert_eq!(apic.read(reg::ICR, 0), Ok(1 << 32 | 0xfd));
    assert_eq!(apic.write(reg::ICR, 1 << 18 | 0x61, 0), Ok(Effect::SelfIpi));
    assert_eq!(apic.pending(), Some(0x61));
}

#[test]
fn errors_gather_and_interrupt() {
    let mut apic = enabled();
    apic.write(reg::LVT_ERROR, 0xfe, 0).unwrap();
    assert_eq!(apic.write(reg::ICR, 1 << 32 | 0x0f, 0), Ok(Effect::None));
    assert_eq!(apic.pending(), Some(0xfe));
    apic.raise(3, false);
    assert_eq!(apic.read(reg::ESR, 0), Ok(0));
    apic.write(reg::ESR, 0, 0).unwrap();
    assert_eq!(apic.read(reg::ESR, 0), Ok(0x60));
    apic.write(reg::ESR, 0, 0).unwrap();
    assert_eq!(apic.read(reg::ESR, 0), Ok(0));
    // An illegal vector in the error entry itself must not recurse.
    apic.write(reg::LVT_ERROR, 0x05, 0).unwrap();
    apic.raise(3, false);
}

#[test]
fn local_sources() {
    let mut apic = enabled();
    assert_eq!(apic.signal(LocalSource::Lint1), Signal::Nothing);
    apic.write(reg::LVT_LINT1, 0x400, 0).unwrap();
    apic.write(reg::LVT_LINT0, 0x700, 0).unwrap();
    apic.write(reg::LVT_PERF, 0xf0, 0).unwrap();
    assert_eq!(apic.signal(LocalSource::Lint1), Signal::Nmi);
    assert_eq!(apic.signal(LocalSource::Lint0), Signal::ExtInt);
    assert_eq!(apic.signal(LocalSource::Perf), Signal::Vector(0xf0));
    assert_eq!(apic.pending(), Some(0xf0));
}

#[test]
fn a_masked_timer_asks_for_no_wakeup_and_does_not_fire_later() {
    let mut apic = enabled();
    apic.write(reg::LVT_TIMER, 0x1_0030, 0).unwrap();
    apic.write(reg::INITIAL_COUNT, 100, 0).unwrap();
    assert_eq!(apic.next_deadline(), None);
    apic.write(reg::LVT_TIMER, 0x30, 1000).unwrap();
    assert!(!apic.advance(2000));
    assert_eq!(apic.pending(), None);
}

#[test]
fn the_deadline_fires_once() {
    let mut apic = enabled();
    apic.deadline_write(500, 0);
    assert_eq!(apic.deadline_read(0), 0, "ignored in another mode");
    apic.write(reg::LVT_TIMER, 2 << 17 | 0xec, 0).unwrap();
    assert_eq!(apic.deadline_write(500, 10), Effect::TimerChanged);
    assert_eq!((apic.next_deadline(), apic.deadline_read(499)), (Some(500), 500));
    assert!(!apic.advance(499));
    assert!(apic.advance(500));
    assert_eq!((apic.pending(), apic.deadline_read(499), apic.next_deadline()), (Some(0xec), 0, None));
    apic.deadline_write(400, 600);
    assert!(apic.advance(600), "one in the past fires at once");
}

#[test]
fn the_clock_is_scaled() {
    // 2.5 GHz TSC, 1 GHz bus, divide by 16: 1000 counts are 16 microseconds.
    let mut apic = LocalApic::new(0, true, Clock::new(2_500_000));
    apic.write(reg::SVR, 0x1ff, 0).unwrap();
    apic.write(reg::DIVIDE, 3, 0).unwrap();
    apic.write(reg::LVT_TIMER, 0x30, 0).unwrap();
    apic.write(reg::INITIAL_COUNT, 1000, 7).unwrap();
    assert_eq!(apic.next_deadline(), Some(7 + 40_000));
    assert_eq!(apic.read(reg::CURRENT_COUNT, 7 + 20_000), Ok(500));
}

#[test]
fn init_forgets_all_but_the_identity() {
    let mut apic = enabled();
    apic.raise(0x90, true);
    apic.deadline_write(5, 0);
    apic.init();
    assert_eq!(apic, LocalApic::new(0x25, true, Clock::new(1_000_000)));
}
