//! The run queue: one for all CPUs.

use super::kick::Kicks;
use super::roster::{Entity, Roster, State};
use crate::cpu::lock::{Level, Lock};
use crate::cpu::{self, time};
use crate::domain::Vcpu;
use alloc::sync::Arc;
use core::sync::atomic::Ordering;
use policy::fair;

static QUEUE: Lock<Roster> = Lock::new(Level::Scheduler, Roster::new());

/// What a CPU does next.
pub struct Choice {
    /// The vCPU to run.
    pub vcpu: Option<Arc<Vcpu>>,
    /// How long it runs while others wait, in TSC ticks.
    pub slice: u64,
    /// When a blocked vCPU's timer wants this CPU (TSC).
    pub next: Option<u64>,
}

/// What a CPU that runs a vCPU finds in the queue.
pub struct Review {
    /// Another one should run now.
    pub yields: bool,
    /// See [`Choice::next`].
    pub next: Option<u64>,
}

/// Sets the time slice, in TSC ticks. Before the first vCPU is added.
pub fn set_slice(ticks: u64) {
    QUEUE.lock().order = fair::Queue::new(ticks);
}

/// Adds a vCPU, ready to run.
pub fn add(vcpu: Arc<Vcpu>) {
    let mut entity = Entity::new(vcpu);
    let target = {
        let mut queue = QUEUE.lock();
        queue.order.join(&mut entity.share);
        queue.entities.push(entity);
        let last = queue.entities.len() - 1;
        queue.send_for(last)
    };
    Kicks::NONE.with(target).send();
}

/// Makes a vCPU that was notified look at it: wherever it is.
pub fn wake(vcpu: &Arc<Vcpu>) {
    let now = time::tsc();
    let target = {
        let mut queue = QUEUE.lock();
        let Some(at) = queue.position(vcpu) else { return };
        match queue.entities.get(at).map(|entity| entity.state) {
            Some(State::Blocked) => queue.rouse(at, now),
            // One that runs here looks before its next entry.
            Some(State::Running(on, _)) => Some(on).filter(|&on| on != cpu::index()),
            _ => None,
        }
    };
    Kicks::NONE.with(target).send();
}

/// Takes the vCPU that should run here.
#[inline(never)]
pub fn pick() -> Choice {
    let (here, now) = (cpu::index(), time::tsc());
    let mut kicks = Kicks::NONE;
    let choice = {
        let mut queue = QUEUE.lock();
        // While this CPU looks nobody need send for it.
        queue.idle &= !(1 << here);
        let next = queue.expire(now, &mut kicks);
        queue.advance();
        let ready = queue.entities.iter().enumerate().filter(|(_, entity)| entity.waits_for(here));
        let at = queue.order.pick(ready.map(|(at, entity)| (at, &entity.share)));
        let vcpu = at.and_then(|at| queue.entities.get_mut(at)).map(|entity| {
            entity.state = State::Running(here, now);
            entity.home = here;
            entity.vcpu.clone()
        });
        if vcpu.is_none() {
            queue.idle |= 1 << here;
        }
        Choice { vcpu, slice: queue.order.slice(), next }
    };
    kicks.send();
    choice
}

/// Charges a vCPU that runs here and looks who else wants to: at its slice's end (`over`) anybody, before
/// it those who woke up.
#[inline(never)]
pub fn review(vcpu: &Arc<Vcpu>, now: u64, over: bool) -> Review {
    let here = cpu::index();
    let mut kicks = Kicks::NONE;
    let review = {
        let mut queue = QUEUE.lock();
        let next = queue.expire(now, &mut kicks);
        let own = queue.position(vcpu);
        if let Some(at) = own {
            queue.charge(at, now);
        }
        let yields = own.and_then(|at| queue.entities.get(at)).is_none_or(|own| {
            let mut rivals = queue.entities.iter().filter(|entity| entity.waits_for(here));
            rivals.any(|rival| (over || rival.share.is_urgent()) && queue.order.preempts(&rival.share, &own.share))
        });
        Review { yields, next }
    };
    kicks.send();
    review
}

/// Gives a vCPU back. It blocks if it has nothing to do and nothing was notified meanwhile;
/// `deadline` is its timer's.
pub fn put(vcpu: &Arc<Vcpu>, block: bool, deadline: Option<u64>) {
    let now = time::tsc();
    let target = {
        let mut queue = QUEUE.lock();
        let Some(at) = queue.position(vcpu) else { return };
        queue.charge(at, now);
        let Some(entity) = queue.entities.get_mut(at) else { return };
        let sleeps = block && !vcpu.notified.swap(false, Ordering::AcqRel);
        entity.state = if sleeps { State::Blocked } else { State::Ready };
        entity.deadline = deadline.filter(|_| sleeps);
        if sleeps { None } else { queue.send_for(at) }
    };
    Kicks::NONE.with(target).send();
}

/// Takes a vCPU out for good.
pub fn remove(vcpu: &Arc<Vcpu>) {
    QUEUE.lock().entities.retain(|entity| !Arc::ptr_eq(&entity.vcpu, vcpu));
}
