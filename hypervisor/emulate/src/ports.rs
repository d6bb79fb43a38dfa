//! Port accesses: IN, OUT, INS, OUTS.
//!
//! The exit information of both vendors becomes one [`PortAccess`]. IN and OUT need no instruction bytes
//! ([`PortAccess::output`], [`PortAccess::input`]); the string forms become a [`Plan`] like device memory's.

use crate::decode;
use crate::mmio::describe;
use crate::plan::{Access, Action, Place, Plan, TextKind};
use crate::refusal::Refusal;
use crate::registers::{Mode, Part, Registers, index};
use iced_x86::Code;

/// A port access as an exit reports it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PortAccess {
    /// First port.
    pub port: u16,
    /// Bytes: 1, 2 or 4.
    pub width: u32,
    /// OUT or OUTS.
    pub write: bool,
    /// INS or OUTS.
    pub string: bool,
    /// Repeated (only with `string`).
    pub rep: bool,
}

impl PortAccess {
    /// From EXITINFO1 of an IOIO intercept (APM volume 2, section 15.10.2). `None` if no size is given.
    #[must_use]
    pub const fn from_svm(info: u64) -> Option<Self> {
        let width = match info >> 4 & 7 {
            1 => 1,
            2 => 2,
            4 => 4,
            _ => return None,
        };
        Some(Self { port: (info >> 16) as u16, width, write: info & 1 == 0, string: info & 4 != 0, rep: info & 8 != 0 })
    }

    /// From the exit qualification of an I/O instruction (SDM volume 3, table 28-5). `None` if the size is
    /// a reserved one.
    #[must_use]
    pub const fn from_vmx(qualification: u64) -> Option<Self> {
        let width = match qualification & 7 {
            0 => 1,
            1 => 2,
            3 => 4,
            _ => return None,
        };
        Some(Self {
            port: (qualification >> 16) as u16,
            width,
            write: qualification & 8 == 0,
            string: qualification & 16 != 0,
            rep: qualification & 32 != 0,
        })
    }

    /// What a read gives where nothing answers: all ones.
    #[must_use]
    pub const fn nothing(self) -> u32 {
        match self.width {
            1 => 0xff,
            2 => 0xffff,
            _ => u32::MAX,
        }
    }

    /// OUT: the value that the guest wrote.
    #[must_use]
    pub fn output(self, registers: &Registers) -> u32 {
        self.accumulator().read(registers) as u32
    }

    /// IN: hands the guest `value`, in al, ax or eax.
    pub fn input(self, registers: &mut Registers, value: u32) {
        self.accumulator().write(registers, u64::from(value));
    }

    const fn accumulator(self) -> Part {
        Part::low(index::RAX, self.width)
    }

    /// INS and OUTS: one element, from the instruction's bytes at `registers.rip`.
    ///
    /// # Errors
    /// [`Refusal::Mismatch`] if the bytes are not the reported instruction, and those of decoding.
    pub fn plan(self, bytes: &[u8], mode: Mode, registers: &Registers) -> Result<Plan, Refusal> {
        let instruction = decode::instruction(bytes, mode, registers.rip)?;
        let (write, width) = match instruction.code() {
            Code::Insb_m8_DX => (false, 1),
            Code::Insw_m16_DX => (false, 2),
            Code::Insd_m32_DX => (false, 4),
            Code::Outsb_DX_m8 => (true, 1),
            Code::Outsw_DX_m16 => (true, 2),
            Code::Outsd_DX_m32 => (true, 4),
            _ => return Err(Refusal::Mismatch),
        };
        let text = describe(&instruction, TextKind::Move, width);
        if (write, width, text.count.is_some()) != (self.write, self.width, self.rep) {
            return Err(Refusal::Mismatch);
        }
        let next_rip = decode::next_rip(&instruction, mode);
        // Some processors check the port before they look at the count.
        if text.count.is_some_and(|count| count.read(registers) == 0) {
            return Ok(Plan { load: None, store: None, action: Action::Nothing, next_rip, mode });
        }
        let memory = decode::linear(&instruction, u32::from(write), mode, registers)?;
        let memory = Access { place: Place::Memory(memory), width };
        let port = Access { place: Place::Port(self.port), width };
        let (load, store) = if write { (memory, port) } else { (port, memory) };
        Ok(Plan { load: Some(load), store: Some(store), action: Action::Text(text), next_rip, mode })
    }
}
