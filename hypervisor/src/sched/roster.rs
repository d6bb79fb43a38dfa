//! Who there is to run, and which CPUs have nothing to do. Times are TSC ticks.
//!
//! Invariant: no CPU idles while an entity is ready that may run there, but for the time until its
//! kick arrives. A CPU that is sent for is idle no more, so that the next one sends for another.

use super::kick::Kicks;
use crate::cpu;
use crate::domain::Vcpu;
use alloc::sync::Arc;
use alloc::vec::Vec;
use policy::fair::{self, NORMAL};

/// dom0's vCPUs against a guest's: everybody waits for them, so a busy guest must not slow them.
const DOM0_WEIGHT: u32 = 4 * NORMAL;

/// Whether a vCPU runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It has nothing to do.
    Blocked,
    /// It waits for a CPU.
    Ready,
    /// On this CPU; not charged for its time since then.
    Running(u32, u64),
}

/// A vCPU in the queue.
pub struct Entity {
    /// The vCPU.
    pub vcpu: Arc<Vcpu>,
    /// Whether it runs.
    pub state: State,
    /// Its part of the CPUs' time.
    pub share: fair::Entity,
    /// When a blocked vCPU's timer expires.
    pub deadline: Option<u64>,
    /// CPU that watches the deadline: the last one that it ran on.
    pub home: u32,
}

impl Entity {
    /// A ready one.
    pub fn new(vcpu: Arc<Vcpu>) -> Self {
        let share = match vcpu.domain().is_some_and(|domain| domain.is_dom0()) {
            true => fair::Entity::new(DOM0_WEIGHT).serving(),
            false => fair::Entity::new(NORMAL),
        };
        let home = vcpu.pin.unwrap_or_else(cpu::index);
        Self { vcpu, state: State::Ready, share, deadline: None, home }
    }

    /// True if it may run on this CPU.
    pub fn may_run(&self, cpu: u32) -> bool {
        self.vcpu.pin.is_none_or(|pin| pin == cpu)
    }

    /// True if it waits for this CPU or any.
    pub fn waits_for(&self, cpu: u32) -> bool {
        self.state == State::Ready && self.may_run(cpu)
    }
}

/// All vCPUs.
pub struct Roster {
    /// In no order.
    pub entities: Vec<Entity>,
    /// The order.
    pub order: fair::Queue,
    /// A bit for each CPU that idles and was not sent for.
    pub idle: u32,
}

impl Roster {
    /// Nobody; the slice is still to be set.
    pub const fn new() -> Self {
        Self { entities: Vec::new(), order: fair::Queue::new(0), idle: 0 }
    }

    /// Where a vCPU is.
    pub fn position(&self, vcpu: &Arc<Vcpu>) -> Option<usize> {
        self.entities.iter().position(|entity| Arc::ptr_eq(&entity.vcpu, vcpu))
    }

    /// Moves the order's clock.
    pub fn advance(&mut self) {
        let wanting = self.entities.iter().filter(|entity| entity.state != State::Blocked);
        self.order.advance(wanting.map(|entity| &entity.share));
    }

    /// Makes a blocked entity ready; the CPU that should run it now, if any.
    pub fn rouse(&mut self, at: usize, now: u64) -> Option<u32> {
        self.advance();
        let entity = self.entities.get_mut(at)?;
        self.order.wake(&mut entity.share);
        entity.state = State::Ready;
        entity.deadline = None;
        self.send_for(at).or_else(|| {
            let entity = self.entities.get(at)?;
            let running = self.entities.iter().filter_map(|other| match other.state {
                State::Running(on, since) if entity.may_run(on) => {
                    Some((on, other.share.after(now.saturating_sub(since))))
                }
                _ => None,
            });
            self.order.place(&entity.share, running)
        })
    }

    /// An idle CPU for a ready entity, the one where it was if that idles.
    pub fn send_for(&mut self, at: usize) -> Option<u32> {
        let entity = self.entities.get(at)?;
        let may = entity.vcpu.pin.map_or(u32::MAX, |pin| 1 << pin) & self.idle;
        let target = if may >> entity.home & 1 == 1 { Some(entity.home) } else { Some(may.trailing_zeros()) };
        let target = target.filter(|&cpu| cpu < u32::BITS)?;
        self.idle &= !(1 << target);
        Some(target)
    }

    /// Wakes what is due at this CPU; the next deadline that it must wake for.
    pub fn expire(&mut self, now: u64, kicks: &mut Kicks) -> Option<u64> {
        let here = cpu::index();
        let mut next = None;
        for at in 0..self.entities.len() {
            let due = self.entities.get(at).filter(|entity| entity.home == here && entity.state == State::Blocked);
            match due.and_then(|entity| entity.deadline) {
                // This CPU is looking anyway.
                Some(due) if due <= now => *kicks = kicks.with(self.rouse(at, now).filter(|&cpu| cpu != here)),
                Some(later) => next = Some(next.map_or(later, |next: u64| next.min(later))),
                None => {}
            }
        }
        next
    }

    /// Charges a running entity for its time.
    pub fn charge(&mut self, at: usize, now: u64) {
        if let Some(entity) = self.entities.get_mut(at)
            && let State::Running(on, since) = entity.state
        {
            entity.share.charge(now.saturating_sub(since));
            entity.state = State::Running(on, now);
        }
    }
}
