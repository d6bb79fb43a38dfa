//! Spin locks with levels: a CPU takes them in ascending order only, checked at every acquisition.
//!
//! Interrupts are off wherever locks are held (see [`crate::sched`]), so a lock is never wanted by
//! a handler on the CPU that holds it.

use core::ops::{Deref, DerefMut};
use spin::mutex::{SpinMutex, SpinMutexGuard};

/// Levels, from outermost to innermost.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Level {
    /// The service channel and the command being worked off.
    Channel,
    /// The list of domains.
    Domains,
    /// The service function's configuration space.
    Pci,
    /// A domain's devices.
    Devices,
    /// A domain's memory.
    Memory,
    /// A domain's IO-APIC, or the real one.
    IoApic,
    /// A vCPU's local APIC.
    LocalApic,
    /// A domain's end record.
    Ends,
    /// Events for dom0.
    Events,
    /// Run queues.
    Scheduler,
    /// Frames.
    Frames,
    /// The heap.
    Heap,
    /// The log.
    Log,
}

/// A value behind a lock of a level.
pub struct Lock<T> {
    level: Level,
    inner: SpinMutex<T>,
}

/// Access to the value; releases on drop.
pub struct Guard<'a, T> {
    level: Level,
    inner: SpinMutexGuard<'a, T>,
}

impl<T> Lock<T> {
    /// A lock of this level.
    pub const fn new(level: Level, value: T) -> Self {
        Self { level, inner: SpinMutex::new(value) }
    }

    /// Waits for the lock. Panics if this CPU holds one of the same or an inner level: that is a
    /// bug of ours that could hang the machine.
    #[inline(always)] // in the way of every exit
    pub fn lock(&self) -> Guard<'_, T> {
        take(self.level);
        Guard { level: self.level, inner: self.inner.lock() }
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        // The bit goes before the lock itself; interrupts are off, so nobody looks in between.
        let held = &super::this().held;
        held.set(held.get() & !(1 << self.level as u8));
    }
}

fn take(level: Level) {
    let held = &super::this().held;
    let mask = held.get();
    if mask >> (level as u8) != 0 {
        held.set(0); // lets the panic's own messages through
        panic!("lock order: {level:?} wanted while holding levels {mask:#b}");
    }
    held.set(mask | 1 << level as u8);
}

/// True if this CPU holds no lock.
pub fn none_held() -> bool {
    super::this().held.get() == 0
}
