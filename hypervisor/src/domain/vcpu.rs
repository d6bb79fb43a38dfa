//! A virtual processor: what others may touch, and the context of the CPU that runs it.

use super::{Domain, Waiting};
use crate::cpu::lock::{Level, Lock};
use crate::cpu::{fpu, time};
use crate::vcpu::{Backend, Registers, Start};
use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use apic::{Clock, LocalApic};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// A vCPU as its domain, interrupts and the scheduler see it.
pub struct Vcpu {
    domain: Weak<Domain>,
    /// Number in its domain.
    pub index: u32,
    /// The only physical CPU that it may run on, if any.
    pub pin: Option<u32>,
    /// Its local APIC.
    pub lapic: Lock<LocalApic>,
    /// The context while it does not run; a CPU takes it out to run it.
    pub context: Lock<Option<Box<Context>>>,
    /// Something happened that a halted vCPU must look at.
    pub notified: AtomicBool,
    /// A start-up interrupt that waits: 1 << 8 | page, or 0.
    pub startup: AtomicU32,
    /// Cached translations must go before the next entry.
    pub flush: AtomicBool,
    /// The page that it waits for.
    pub waiting: Waiting,
    /// An INIT that waits.
    pub init: AtomicBool,
}

/// What the CPU that runs a vCPU works with, without locks.
pub struct Context {
    /// The vendor's part.
    pub backend: Box<dyn Backend>,
    /// General-purpose registers.
    pub registers: Registers,
    /// Vector state, while another vCPU's is loaded.
    pub fpu: Box<fpu::State>,
    /// XCR0 of the guest.
    pub xcr0: u64,
    /// TSC_AUX of the guest.
    pub tsc_aux: u64,
    /// Waits for a start-up interrupt.
    pub waits_for_startup: bool,
    /// HLT was executed and nothing has woken it yet.
    pub halted: bool,
    /// The KVM clock's MSR and structure.
    pub clock: super::msr::KvmClock,
    /// CR8 as the local APIC last knew it.
    pub cr8: u8,
    /// Emulations in a row that found another instruction than the one that exited.
    pub repeats: u32,
    /// The instruction of the last exit, where the processor does not tell lengths.
    pub last: Option<super::length::Last>,
    /// The back end was asked for an exit when interrupts can be taken.
    pub window: bool,
}

impl Context {
    /// Asks for an exit as soon as the vCPU takes interrupts, or no longer.
    pub fn want_window(&mut self, want: bool) {
        if self.window != want {
            self.window = want;
            self.backend.want_window(want);
        }
    }
}

impl Vcpu {
    /// A vCPU that waits for a start-up interrupt, unless `start` says how it begins.
    pub fn new(
        domain: &Arc<Domain>,
        index: u32,
        apic_id: u32,
        pin: Option<u32>,
        mut backend: Box<dyn Backend>,
        start: Option<(Start, Registers)>,
    ) -> Arc<Self> {
        let waits_for_startup = start.is_none();
        let (start, registers) = start.unwrap_or((Start::Startup { page: 0 }, Registers::default()));
        backend.start(start);
        let khz = u32::try_from(time::tsc_hz() / 1000).unwrap_or(u32::MAX);
        let context = Context {
            backend,
            registers: Registers { rflags: 2, ..registers },
            fpu: Box::new(fpu::State::new()),
            xcr0: 1,
            tsc_aux: 0,
            waits_for_startup,
            halted: false,
            clock: super::msr::KvmClock::default(),
            cr8: 0,
            repeats: 0,
            last: None,
            window: false,
        };
        Arc::new(Self {
            domain: Arc::downgrade(domain),
            index,
            pin,
            lapic: Lock::new(Level::LocalApic, LocalApic::new(apic_id, index == 0, Clock::new(khz))),
            context: Lock::new(Level::Devices, Some(Box::new(context))),
            notified: AtomicBool::new(false),
            startup: AtomicU32::new(0),
            flush: AtomicBool::new(true),
            waiting: Waiting::NOTHING,
            init: AtomicBool::new(false),
        })
    }

    /// The domain; `None` while it is being torn down.
    pub fn domain(&self) -> Option<Arc<Domain>> {
        self.domain.upgrade()
    }

    /// Raises an interrupt and makes the vCPU look at it.
    pub fn interrupt(self: &Arc<Self>, vector: u8, level: bool) {
        self.lapic.lock().raise(vector, level);
        self.notify();
    }

    /// Makes the vCPU look at what changed.
    pub fn notify(self: &Arc<Self>) {
        self.notified.store(true, Ordering::Release);
        crate::sched::wake(self);
    }
}
