//! The local APIC's registers as MSRs (SDM table 11-6). Depends on `local`.
//!
//! Every read or write is either legal or refused with #GP; a refused one changes nothing
//! but lets time go on.

use crate::esr;
use crate::icr::{self, Command, Ipi};
use crate::local::LocalApic;
use crate::lvt::LocalSource;
use crate::registers as reg;
use crate::timer::Mode;
use crate::{DeliveryMode, Destination, destination};

/// The access is illegal: inject #GP(0).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault;

/// What the hypervisor must do after a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Nothing (look at [`LocalApic::pending`] before the next entry, as always).
    None,
    /// An interrupt ended; if it was level triggered, tell the IO-APICs.
    Eoi {
        /// The vector whose service ended.
        vector: u8,
        /// True if it was level triggered.
        was_level: bool,
    },
    /// Deliver this to other vCPUs, or this one, or both.
    SendIpi(Ipi),
    /// [`LocalApic::next_deadline`] may have changed.
    TimerChanged,
    /// The vCPU interrupted itself; the vector is in IRR already.
    SelfIpi,
}

/// `IA32_APIC_BASE` bits: address, global enable, x2APIC enable; and the boot processor's.
const BASE: u64 = 0xfee0_0000 | 1 << 11 | 1 << 10;
const BASE_BSP: u64 = 1 << 8;

fn low(value: u64, writable: u32) -> Result<u32, Fault> {
    u32::try_from(value).ok().filter(|low| low & !writable == 0).ok_or(Fault)
}

impl LocalApic {
    /// `IA32_APIC_BASE`: always enabled, always x2APIC.
    #[must_use]
    pub const fn base(&self) -> u64 {
        if self.bsp { BASE | BASE_BSP } else { BASE }
    }

    /// Writes `IA32_APIC_BASE`. Only the present value is legal.
    ///
    /// # Errors
    /// [`Fault`] for any other.
    pub const fn set_base(&self, value: u64) -> Result<(), Fault> {
        if value == self.base() { Ok(()) } else { Err(Fault) }
    }

    /// Reads MSR `index` (0x800 and up) at guest TSC `now`.
    ///
    /// # Errors
    /// [`Fault`] for write-only and unknown registers.
    pub fn read(&self, index: u32, now: u64) -> Result<u64, Fault> {
        if let Some(source) = LocalSource::of_register(index) {
            return Ok(u64::from(self.lvt.get(source)));
        }
        Ok(match index {
            reg::ID => self.id.into(),
            reg::VERSION => reg::VERSION_VALUE,
            reg::TPR => self.tpr.into(),
            reg::PPR => self.ppr().into(),
            reg::LDR => destination::logical_id(self.id).into(),
            reg::SVR => self.svr.into(),
            reg::ISR..reg::TMR => self.isr.register(index - reg::ISR).into(),
            reg::TMR..reg::IRR => self.tmr.register(index - reg::TMR).into(),
            reg::IRR..reg::ESR => self.irr.register(index - reg::IRR).into(),
            reg::ESR => self.errors.read().into(),
            reg::ICR => self.icr,
            reg::INITIAL_COUNT => self.timer.initial().into(),
            reg::CURRENT_COUNT => {
                let mut timer = self.timer;
                timer.advance(now);
                timer.current(now).into()
            }
            reg::DIVIDE => self.timer.divide().into(),
            _ => return Err(Fault),
        })
    }

    /// Writes MSR `index` (0x800 and up) at guest TSC `now`.
    ///
    /// # Errors
    /// [`Fault`] for reserved bits, read-only and unknown registers.
    pub fn write(&mut self, index: u32, value: u64, now: u64) -> Result<Effect, Fault> {
        // What expired before this write is judged by the registers before it.
        self.advance(now);
        if let Some(source) = LocalSource::of_register(index) {
            return self.write_lvt(source, low(value, u32::MAX)?);
        }
        match index {
            reg::TPR => self.tpr = low(value, 0xff)? as u8,
            reg::SVR => {
                self.svr = low(value, reg::SVR_WRITABLE)?;
                if !self.enabled() {
                    self.lvt.mask_all();
                    return Ok(Effect::TimerChanged);
                }
            }
            reg::EOI => {
                low(value, 0)?;
                let ended = self.eoi();
                return Ok(ended.map_or(Effect::None, |(vector, was_level)| Effect::Eoi { vector, was_level }));
            }
            reg::ESR => {
                low(value, 0)?;
                self.errors.latch();
            }
            reg::ICR => {
                self.icr = icr::check(value).ok_or(Fault)?;
                return Ok(self.send(icr::decode(self.icr)));
            }
            reg::SELF_IPI => {
                let vector = low(value, 0xff)? as u8;
                return Ok(self.send(icr::decode(u64::from(vector) | 1 << 18)));
            }
            reg::INITIAL_COUNT => {
                self.timer.set_initial(low(value, u32::MAX)?, now);
                return Ok(Effect::TimerChanged);
            }
            reg::DIVIDE => {
                self.timer.set_divide(low(value, reg::DIVIDE_WRITABLE)?, now);
                return Ok(Effect::TimerChanged);
            }
            _ => return Err(Fault),
        }
        Ok(Effect::None)
    }

    fn write_lvt(&mut self, source: LocalSource, value: u32) -> Result<Effect, Fault> {
        let mode = Mode::of_entry(value);
        let timer = source == LocalSource::Timer;
        if timer && mode.is_none() {
            return Err(Fault);
        }
        self.lvt.set(source, value, self.enabled()).ok_or(Fault)?;
        match mode {
            Some(mode) if timer => {
                self.timer.set_mode(mode);
                Ok(Effect::TimerChanged)
            }
            _ => Ok(Effect::None),
        }
    }

    fn send(&mut self, command: Command) -> Effect {
        match command {
            Command::Nothing => Effect::None,
            Command::IllegalVector => {
                self.error(esr::SEND_ILLEGAL_VECTOR);
                Effect::None
            }
            Command::Send(ipi) => {
                let fixed = matches!(ipi.mode, DeliveryMode::Fixed | DeliveryMode::LowestPriority);
                if fixed && ipi.destination == Destination::Itself {
                    self.raise(ipi.vector, false);
                    return Effect::SelfIpi;
                }
                Effect::SendIpi(ipi)
            }
        }
    }

    /// Reads `IA32_TSC_DEADLINE` at guest TSC `now`: 0 once it has passed.
    #[must_use]
    pub const fn deadline_read(&self, now: u64) -> u64 {
        let deadline = self.timer.deadline();
        if deadline <= now { 0 } else { deadline }
    }

    /// Writes `IA32_TSC_DEADLINE` at guest TSC `now`; one that has passed fires at the next [`LocalApic::advance`].
    pub fn deadline_write(&mut self, deadline: u64, now: u64) -> Effect {
        self.advance(now);
        self.timer.set_deadline(deadline);
        Effect::TimerChanged
    }
}
