//! The local APIC against an independent, slower model: vectors as sets, a timer that counts tick by tick.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use apic::{Clock, Effect, Fault, LocalApic, registers as reg};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What the model knows. Its clock has one bus tick per TSC tick.
#[derive(Default)]
struct Model {
    enabled: bool,
    tpr: u8,
    irr: BTreeSet<u8>,
    isr: Vec<u8>,
    level: BTreeSet<u8>,
    lvt_timer: u32,
    divide: u64,
    initial: u32,
    count: u32,
    phase: u64,
    deadline: u64,
    now: u64,
}

impl Model {
    fn new() -> Self {
        Self { lvt_timer: 0x1_0000, divide: 2, ..Self::default() }
    }

    fn ppr(&self) -> u8 {
        let serving = self.isr.iter().copied().max().unwrap_or(0) & 0xf0;
        if self.tpr & 0xf0 >= serving { self.tpr } else { serving }
    }

    fn raise(&mut self, vector: u8, level: bool) {
        if self.enabled && vector >= 16 {
            self.irr.insert(vector);
            if level {
                self.level.insert(vector)
            } else {
                self.level.remove(&vector)
            };
        }
    }

    fn pending(&self) -> Option<u8> {
        let vector = *self.irr.last()?;
        (self.enabled && vector & 0xf0 > self.ppr() & 0xf0).then_some(vector)
    }

    fn mode(&self) -> u32 {
        self.lvt_timer >> 17 & 3
    }

    fn fire(&mut self) {
        if self.lvt_timer & 0x1_0000 == 0 {
            self.raise(self.lvt_timer as u8, false);
        }
    }

    fn tick(&mut self) {
        self.now += 1;
        if self.mode() == 2 {
            if self.deadline != 0 && self.now >= self.deadline {
                self.deadline = 0;
                self.fire();
            }
        } else if self.count != 0 {
            self.phase += 1;
            if self.phase == self.divide {
                self.phase = 0;
                self.count -= 1;
                if self.count == 0 {
                    if self.mode() == 1 {
                        self.count = self.initial;
                    }
                    self.fire();
                }
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Raise(u8, bool),
    Accept,
    Eoi,
    Tpr(u8),
    Enable(bool),
    SelfIpi(u8),
    Wait(u64),
    Lvt { vector: u8, mode: u32, masked: bool },
    Initial(u32),
    Divide(u32),
    Deadline(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (any::<u8>(), any::<bool>()).prop_map(|(v, l)| Step::Raise(v, l)),
        4 => Just(Step::Accept),
        3 => Just(Step::Eoi),
        1 => any::<u8>().prop_map(Step::Tpr),
        1 => prop::bool::weighted(0.9).prop_map(Step::Enable),
        1 => (16u8..).prop_map(Step::SelfIpi),
        3 => (1u64..200).prop_map(Step::Wait),
        2 => (any::<u8>(), 0u32..3, prop::bool::weighted(0.2))
            .prop_map(|(vector, mode, masked)| Step::Lvt { vector, mode, masked }),
        2 => (0u32..40).prop_map(Step::Initial),
        1 => prop::sample::select(vec![0, 1, 2, 3, 8, 11]).prop_map(Step::Divide),
        1 => (-20i64..100).prop_map(Step::Deadline),
    ]
}

fn divisor(code: u32) -> u64 {
    match code {
        0 => 2,
        1 => 4,
        2 => 8,
        3 => 16,
        8 => 32,
        11 => 1,
        other => panic!("divide {other}"),
    }
}

fn compare(apic: &LocalApic, model: &Model) -> Result<(), TestCaseError> {
    let now = model.now;
    prop_assert_eq!(apic.pending(), model.pending());
    prop_assert_eq!(apic.read(reg::PPR, now), Ok(model.ppr().into()));
    prop_assert_eq!(apic.deadline_read(now), model.deadline);
    prop_assert_eq!(apic.read(reg::CURRENT_COUNT, now), Ok(model.count.into()));
    for word in 0..8 {
        let bits = |has: &dyn Fn(u8) -> bool| {
            (0..32u8).filter(|bit| has(word * 32 + bit)).fold(0u64, |map, bit| map | 1 << bit)
        };
        prop_assert_eq!(apic.read(reg::IRR + u32::from(word), now), Ok(bits(&|v| model.irr.contains(&v))));
        prop_assert_eq!(apic.read(reg::ISR + u32::from(word), now), Ok(bits(&|v| model.isr.contains(&v))));
        prop_assert_eq!(apic.read(reg::TMR + u32::from(word), now), Ok(bits(&|v| model.level.contains(&v))));
    }
    Ok(())
}

fn apply(apic: &mut LocalApic, model: &mut Model, step: &Step) -> Result<(), TestCaseError> {
    let now = model.now;
    match *step {
        Step::Raise(vector, level) => {
            apic.raise(vector, level);
            model.raise(vector, level);
        }
        Step::Accept => {
            if let Some(vector) = model.pending() {
                prop_assert!(apic.accept(vector));
                model.irr.remove(&vector);
                model.isr.push(vector);
            }
        }
        Step::Eoi => {
            let top = model.isr.iter().copied().max();
            if let Some(vector) = top {
                let alone = model.irr.is_empty() && !model.level.contains(&vector);
                prop_assert_eq!(apic.pv_eoi_allowed(vector), alone);
                prop_assert!(!apic.pv_eoi_allowed(vector.wrapping_add(1)));
            }
            let expect =
                top.map_or(Effect::None, |vector| Effect::Eoi { vector, was_level: model.level.contains(&vector) });
            prop_assert_eq!(apic.write(reg::EOI, 0, now), Ok(expect));
            model.isr.retain(|vector| Some(*vector) != top);
        }
        Step::Tpr(tpr) => {
            prop_assert_eq!(apic.write(reg::TPR, tpr.into(), now), Ok(Effect::None));
            model.tpr = tpr;
        }
        Step::Enable(enabled) => {
            prop_assert!(apic.write(reg::SVR, u64::from(enabled) << 8 | 0xff, now).is_ok());
            model.enabled = enabled;
            if !enabled {
                model.lvt_timer |= 0x1_0000;
            }
        }
        Step::SelfIpi(vector) => {
            prop_assert_eq!(apic.write(reg::SELF_IPI, vector.into(), now), Ok(Effect::SelfIpi));
            model.raise(vector, false);
        }
        Step::Wait(ticks) => {
            for _ in 0..ticks {
                model.tick();
            }
            apic.advance(model.now);
        }
        Step::Lvt { vector, mode, masked } => {
            let entry = u32::from(vector) | mode << 17 | u32::from(masked) << 16;
            prop_assert_eq!(apic.write(reg::LVT_TIMER, entry.into(), now), Ok(Effect::TimerChanged));
            if (mode == 2) != (model.mode() == 2) {
                (model.count, model.phase, model.deadline) = (0, 0, 0);
            }
            model.lvt_timer = entry | u32::from(!model.enabled) << 16;
        }
        Step::Initial(count) => {
            prop_assert_eq!(apic.write(reg::INITIAL_COUNT, count.into(), now), Ok(Effect::TimerChanged));
            if model.mode() != 2 {
                (model.initial, model.count, model.phase) = (count, count, 0);
            }
        }
        Step::Divide(code) => {
            prop_assert_eq!(apic.write(reg::DIVIDE, code.into(), now), Ok(Effect::TimerChanged));
            (model.divide, model.phase) = (divisor(code), 0);
        }
        Step::Deadline(ahead) => {
            let deadline = now.saturating_add_signed(ahead);
            apic.deadline_write(deadline, now);
            if model.mode() == 2 {
                model.deadline = deadline;
                if deadline != 0 && deadline <= now {
                    model.deadline = 0;
                    model.fire();
                }
            }
            apic.advance(now);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn agrees_with_the_model(steps in prop::collection::vec(step(), 0..60)) {
        let mut apic = LocalApic::new(0, true, Clock::with_bus(1, 1));
        let mut model = Model::new();
        apply(&mut apic, &mut model, &Step::Enable(true))?;
        for step in &steps {
            apply(&mut apic, &mut model, step)?;
            compare(&apic, &model)?;
        }
    }

    /// An expiry seen late counts once; the next deadline lies ahead.
    #[test]
    fn late_periods_come_without_bursts(tsc_khz in 1u32..5_000_000, initial in prop_oneof![1u32..10, 1u32..], code in 0u64..4, late in 0u64..1 << 50) {
        let mut apic = LocalApic::new(0, true, Clock::new(tsc_khz));
        apic.write(reg::SVR, 0x1ff, 0).unwrap();
        apic.write(reg::DIVIDE, code, 0).unwrap();
        apic.write(reg::LVT_TIMER, 1 << 17 | 0x30, 0).unwrap();
        apic.write(reg::INITIAL_COUNT, initial.into(), 100).unwrap();
        let first = apic.next_deadline().unwrap();
        prop_assert!(first > 100);
        // The first TSC tick at which all bus ticks have passed, in the least common unit of both.
        let bus = u128::from(initial) * (2 << code) * u128::from(tsc_khz);
        prop_assert!(u128::from(first - 100) * u128::from(Clock::BUS_KHZ) >= bus);
        prop_assert!(u128::from(first - 101) * u128::from(Clock::BUS_KHZ) < bus);
        prop_assert!(!apic.advance(first - 1));
        prop_assert!(apic.advance(first + late));
        let next = apic.next_deadline().unwrap();
        prop_assert!(next > first + late);
        prop_assert!(next - first <= late + (first - 100));
        prop_assert_eq!((next - first) % (first - 100), 0);
        prop_assert!(!apic.advance(first + late));
    }

    /// Any access is legal or a fault: no panic, and a faulting write leaves the registers alone.
    #[test]
    fn no_access_panics(writes in prop::collection::vec((0x7f0u32..0x850, any::<u64>(), 0u32..64, any::<u64>()), 0..100)) {
        let mut apic = LocalApic::new(0x123, false, Clock::new(2_400_000));
        for (index, value, shift, now) in writes {
            let mut before = apic.clone();
            before.advance(now);
            if apic.write(index, value >> shift, now) == Err(Fault) {
                prop_assert_eq!(&apic, &before);
            }
            let _ = apic.read(index, now);
            let _ = (apic.pending(), apic.next_deadline());
        }
    }
}
