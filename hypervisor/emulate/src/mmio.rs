//! Accesses to emulated device memory.
//!
//! [`plan`] takes the instruction that exited and the guest-physical address of the exit, and yields a
//! [`Plan`]. It believes neither: the operand's address must agree with the exit's in the offset within
//! the page, and the direction must fit, else the guest changed its code or registers meanwhile.
//!
//! Emulated: MOV in all forms with general-purpose registers and immediates (moffs too), MOVZX, MOVSX, MOVSXD,
//! MOVBE, MOVNTI, CMOVcc, SETcc, ADD, ADC, SUB, SBB, AND, OR, XOR, CMP, TEST, INC, DEC, NOT, NEG, XCHG, XADD,
//! CMPXCHG, CMPXCHG8B, BT, BTS, BTR, BTC, PUSH, POP, MOVS, STOS, LODS, SCAS. LOCK changes nothing: the
//! caller performs load and store of one plan without another vCPU's in between.
//! Not: shifts and rotates, multiplication and division, CMPS, XLAT, segment registers, vectors, x87.

mod operands;
mod text;

pub(crate) use text::describe;

use crate::decode;
use crate::plan::{Access, Place, Plan};
use crate::refusal::Refusal;
use crate::registers::{Mode, Registers};

/// The access that the exit reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Guest-physical address.
    pub address: u64,
    /// Whether it was (also) a write.
    pub write: bool,
}

/// Plans the instruction in `bytes` (as many as could be fetched, at most 15) at `registers.rip`.
///
/// For a string move between two devices the one that did not fault is a [`Place::Memory`]; the
/// caller's translation finds that it is a device.
/// The width of stack pointers is taken to be that of the code.
///
/// # Errors
/// See [`Refusal`]; never [`Refusal::Invalid`].
pub fn plan(bytes: &[u8], mode: Mode, registers: &Registers, fault: Fault) -> Result<Plan, Refusal> {
    // The processor ran it up to its access, so what the decoder does not know is a vector encoding.
    let instruction = decode::instruction(bytes, mode, registers.rip).map_err(|refusal| match refusal {
        Refusal::Invalid => Refusal::NotEmulated,
        other => other,
    })?;
    let exit = Exit { mode, registers, fault };
    if let Some(plan) = text::plan(&instruction, &exit)? {
        return Ok(plan);
    }
    operands::plan(&instruction, &exit)
}

/// What is known besides the instruction.
struct Exit<'a> {
    mode: Mode,
    registers: &'a Registers,
    fault: Fault,
}

impl Exit<'_> {
    /// The device access at `linear`, if it is the one that the exit reports.
    fn device(&self, linear: u64, width: u32) -> Result<Access, Refusal> {
        const OFFSET: u64 = 4095;
        if (linear ^ self.fault.address) & OFFSET != 0 {
            return Err(Refusal::Mismatch);
        }
        if (self.fault.address & OFFSET) + u64::from(width) > OFFSET + 1 {
            return Err(Refusal::CrossesPage);
        }
        Ok(Access { place: Place::Device(self.fault.address), width })
    }

    /// Refuses a plan that cannot have made the reported kind of access.
    fn check_direction(&self, plan: Plan) -> Result<Plan, Refusal> {
        let at_device = |access: Option<Access>| access.is_some_and(|a| matches!(a.place, Place::Device(_)));
        match (at_device(plan.load), at_device(plan.store)) {
            (true, true) => Ok(plan),
            (true, false) if !self.fault.write => Ok(plan),
            (false, true) if self.fault.write => Ok(plan),
            _ => Err(Refusal::Mismatch),
        }
    }
}
