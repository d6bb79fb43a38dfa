//! A vCPU's local APIC: requests, priorities, acceptance, end of interrupt (SDM 11.8).
//!
//! Depends on this crate's parts. Registers are reached through `local_msr`. NMI, INIT and SIPI
//! are no state of the APIC: they are effects, or done to it ([`LocalApic::init`]).
//! Invariant: a vector is delivered only if its class is above that of PPR.

use crate::esr::{self, ErrorStatus};
use crate::lvt::{LocalSource, LocalVectors, MASKED, Signal};
use crate::registers::{SVR_ENABLE, SVR_RESET};
use crate::timer::{Clock, Timer};
use crate::vectors::Vectors256;

/// A local APIC in x2APIC mode.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LocalApic {
    pub(crate) id: u32,
    pub(crate) bsp: bool,
    pub(crate) tpr: u8,
    pub(crate) svr: u32,
    pub(crate) icr: u64,
    pub(crate) irr: Vectors256,
    pub(crate) isr: Vectors256,
    pub(crate) tmr: Vectors256,
    pub(crate) lvt: LocalVectors,
    pub(crate) errors: ErrorStatus,
    pub(crate) timer: Timer,
}

impl LocalApic {
    /// The APIC with x2APIC identifier `id`, as after power-up, of the boot processor or not.
    #[must_use]
    pub const fn new(id: u32, bsp: bool, clock: Clock) -> Self {
        Self {
            id,
            bsp,
            tpr: 0,
            svr: SVR_RESET,
            icr: 0,
            irr: Vectors256::EMPTY,
            isr: Vectors256::EMPTY,
            tmr: Vectors256::EMPTY,
            lvt: LocalVectors::RESET,
            errors: ErrorStatus::RESET,
            timer: Timer::new(clock),
        }
    }

    /// What INIT does: all but the identifier and the mode as after power-up (SDM 11.12.5.1).
    pub const fn init(&mut self) {
        *self = Self::new(self.id, self.bsp, self.timer.clock());
    }

    /// The APIC identifier.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// True unless software disabled it in the spurious register.
    #[must_use]
    pub const fn enabled(&self) -> bool {
        self.svr & SVR_ENABLE != 0
    }

    /// The processor priority: the higher of TPR and the class in service (SDM 11.8.3.1).
    #[must_use]
    pub fn ppr(&self) -> u8 {
        let serving = self.isr.highest().unwrap_or(0);
        if self.tpr >> 4 >= serving >> 4 { self.tpr } else { serving & 0xf0 }
    }

    /// The task priority; its high half is CR8.
    #[must_use]
    pub const fn tpr(&self) -> u8 {
        self.tpr
    }

    /// Sets the task priority, as MOV to CR8 does with its value in the high half.
    pub const fn set_tpr(&mut self, tpr: u8) {
        self.tpr = tpr;
    }

    /// Receives a fixed interrupt; true if it was not pending before. A disabled APIC takes none;
    /// a vector below 16 is an error of its sender, noted here.
    pub fn raise(&mut self, vector: u8, level: bool) -> bool {
        if !self.enabled() {
            return false;
        }
        if vector < 16 {
            self.error(esr::RECEIVE_ILLEGAL_VECTOR);
            return false;
        }
        self.tmr.set(vector, level);
        self.irr.insert(vector)
    }

    /// Notes an error and raises the error interrupt, if it is unmasked and its own vector is legal.
    pub(crate) fn error(&mut self, error: u8) {
        if self.errors.gather(error)
            && let Signal::Vector(vector @ 16..) = self.lvt.signal(LocalSource::Error)
        {
            self.raise(vector, false);
        }
    }

    /// An event of a local source: raises its vector, or says what else it asks for.
    pub fn signal(&mut self, source: LocalSource) -> Signal {
        let signal = self.lvt.signal(source);
        if let Signal::Vector(vector) = signal {
            self.raise(vector, false);
        }
        signal
    }

    /// The vector that the vCPU must take when it next can: the highest request, if its class is
    /// above the processor priority.
    #[must_use]
    pub fn pending(&self) -> Option<u8> {
        let vector = self.irr.highest()?;
        (self.enabled() && vector >> 4 > self.ppr() >> 4).then_some(vector)
    }

    /// The vCPU takes `vector`: from requested to in service. False, and nothing changed, if it
    /// was not requested.
    pub const fn accept(&mut self, vector: u8) -> bool {
        let requested = self.irr.remove(vector);
        if requested {
            self.isr.insert(vector);
        }
        requested
    }

    /// Ends the interrupt in service; returns its vector, and true if it was level triggered (then
    /// the IO-APICs must be told). `None` if none was in service.
    pub fn eoi(&mut self) -> Option<(u8, bool)> {
        let vector = self.isr.highest()?;
        self.isr.remove(vector);
        Some((vector, self.tmr.contains(vector)))
    }

    /// True if the guest may end `vector` by clearing the bit of KVM's paravirtual EOI, without an
    /// exit: it is the one in service, edge triggered, and nothing waits for its end. When the
    /// bit is then found clear, the caller runs [`Self::eoi`].
    #[must_use]
    pub fn pv_eoi_allowed(&self, vector: u8) -> bool {
        self.isr.highest() == Some(vector) && !self.tmr.contains(vector) && self.irr.is_empty()
    }

    /// Guest TSC at which [`Self::advance`] must be called; `None` if no timer interrupt can come.
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        if self.lvt.get(LocalSource::Timer) & MASKED != 0 { None } else { self.timer.expiry() }
    }

    /// Lets the guest's TSC go on to `now`; true if that raised the timer's interrupt.
    #[inline(always)]
    pub fn advance(&mut self, now: u64) -> bool {
        self.timer.expiry().is_some_and(|at| at <= now) && self.expire(now)
    }

    #[inline(never)]
    fn expire(&mut self, now: u64) -> bool {
        self.timer.advance(now) && matches!(self.signal(LocalSource::Timer), Signal::Vector(_))
    }
}
