//! General-purpose registers of a guest, as the entry code saves and loads them.

/// Index of a register in [`Registers::gpr`]: the order of instruction encodings.
#[allow(missing_docs)]
pub mod index {
    pub const RAX: usize = 0;
    pub const RCX: usize = 1;
    pub const RDX: usize = 2;
    pub const RBX: usize = 3;
    pub const RSP: usize = 4;
    pub const RSI: usize = 6;
}
pub use index as Gpr;

/// All that the hardware does not save by itself. RSP, RIP and RFLAGS are here too: each back end
/// copies them from its control structure after an exit and back before an entry.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Registers {
    /// rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 to r15.
    pub gpr: [u64; 16],
    /// Instruction pointer.
    pub rip: u64,
    /// Flags.
    pub rflags: u64,
    /// CR8 as it was at the exit; an entry does not take it from here ([`super::Backend::set_cr8`]).
    pub cr8: u8,
}

impl Registers {
    /// EDX:EAX as RDMSR and WRMSR use them.
    pub fn edx_eax(&self) -> u64 {
        self.gpr[index::RDX] << 32 | self.gpr[index::RAX] & 0xffff_ffff
    }

    /// Sets EDX:EAX, zero-extended.
    pub fn set_edx_eax(&mut self, value: u64) {
        self.gpr[index::RAX] = value & 0xffff_ffff;
        self.gpr[index::RDX] = value >> 32;
    }
}
