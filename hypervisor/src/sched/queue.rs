//! The run queue: one for all CPUs, ordered by virtual run time.

use crate::cpu::lock::{Level, Lock};
use crate::cpu::{self, lapic};
use crate::domain::Vcpu;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Blocked,
    Ready,
    Running(u32),
}

struct Entity {
    vcpu: Arc<Vcpu>,
    state: State,
    /// Run time so far, in TSC ticks, scaled by weight.
    vruntime: u64,
    /// When a blocked vCPU's timer expires.
    deadline: Option<u64>,
    /// CPU that watches the deadline: the last one that it ran on.
    home: u32,
}

static QUEUE: Lock<Vec<Entity>> = Lock::new(Level::Scheduler, Vec::new());
static SLICE: AtomicU64 = AtomicU64::new(0);

/// Sets the time slice, in TSC ticks.
pub fn set_slice(ticks: u64) {
    SLICE.store(ticks, Ordering::Relaxed);
}

/// The time slice, in TSC ticks.
pub fn slice() -> u64 {
    SLICE.load(Ordering::Relaxed)
}

/// Adds a vCPU, ready to run.
pub fn add(vcpu: Arc<Vcpu>) {
    let home = vcpu.pin.unwrap_or(0);
    let mut queue = QUEUE.lock();
    let vruntime = floor(&queue);
    queue.push(Entity { vcpu, state: State::Ready, vruntime, deadline: None, home });
}

/// The least virtual run time among those that want to run.
fn floor(queue: &[Entity]) -> u64 {
    queue.iter().filter(|e| e.state != State::Blocked).map(|e| e.vruntime).min().unwrap_or(0)
}

/// Makes a vCPU that was notified look at it: wherever it is.
pub fn wake(vcpu: &Arc<Vcpu>) {
    let mut queue = QUEUE.lock();
    let least = floor(&queue).saturating_sub(slice());
    let Some(entity) = queue.iter_mut().find(|entity| Arc::ptr_eq(&entity.vcpu, vcpu)) else { return };
    let target = match entity.state {
        State::Ready => return,
        State::Running(on) => on,
        State::Blocked => {
            entity.state = State::Ready;
            entity.deadline = None;
            // A sleeper comes back with at most one slice of credit.
            entity.vruntime = entity.vruntime.max(least);
            vcpu.pin.unwrap_or(entity.home)
        }
    };
    drop(queue);
    kick(target);
}

/// Makes a CPU look at its queue.
fn kick(target: u32) {
    if let Some(other) = cpu::of(target) {
        other.reschedule.store(true, Ordering::Release);
        if target != cpu::index() {
            lapic::send(other.apic_id.load(Ordering::Relaxed), lapic::KICK);
        }
    }
}

/// Takes the ready vCPU with the least run time that may run here.
pub fn pick() -> Option<Arc<Vcpu>> {
    let here = cpu::index();
    let mut queue = QUEUE.lock();
    let may = |e: &&mut Entity| e.state == State::Ready && e.vcpu.pin.is_none_or(|pin| pin == here);
    let entity = queue.iter_mut().filter(may).min_by_key(|e| e.vruntime)?;
    entity.state = State::Running(here);
    entity.home = here;
    Some(entity.vcpu.clone())
}

/// True if another vCPU that may run here has run less than `vcpu`.
pub fn better_than(vcpu: &Arc<Vcpu>, ran: u64) -> bool {
    let here = cpu::index();
    let queue = QUEUE.lock();
    let Some(own) = queue.iter().find(|e| Arc::ptr_eq(&e.vcpu, vcpu)).map(|e| e.vruntime + ran) else { return true };
    queue.iter().any(|e| e.state == State::Ready && e.vcpu.pin.is_none_or(|pin| pin == here) && e.vruntime < own)
}

/// Gives a vCPU back after it ran for `ran` ticks. It blocks if it has nothing to do and nothing
/// was notified meanwhile; `deadline` is its timer's.
pub fn put(vcpu: &Arc<Vcpu>, ran: u64, block: bool, deadline: Option<u64>) {
    let mut queue = QUEUE.lock();
    let Some(entity) = queue.iter_mut().find(|e| Arc::ptr_eq(&e.vcpu, vcpu)) else { return };
    entity.vruntime += ran;
    let sleeps = block && !vcpu.notified.swap(false, Ordering::AcqRel);
    entity.state = if sleeps { State::Blocked } else { State::Ready };
    entity.deadline = if sleeps { deadline } else { None };
}

/// Takes a vCPU out for good.
pub fn remove(vcpu: &Arc<Vcpu>) {
    QUEUE.lock().retain(|entity| !Arc::ptr_eq(&entity.vcpu, vcpu));
}

/// Wakes what is due at this CPU; the next deadline that it must wake for.
pub fn expire(now: u64) -> Option<u64> {
    let here = cpu::index();
    let mut queue = QUEUE.lock();
    let least = floor(&queue).saturating_sub(slice());
    let mut next = None;
    for entity in queue.iter_mut().filter(|e| e.home == here && e.state == State::Blocked) {
        match entity.deadline {
            Some(deadline) if deadline <= now => {
                entity.state = State::Ready;
                entity.deadline = None;
                entity.vruntime = entity.vruntime.max(least);
            }
            Some(deadline) => next = Some(next.map_or(deadline, |n: u64| n.min(deadline))),
            None => {}
        }
    }
    next
}
