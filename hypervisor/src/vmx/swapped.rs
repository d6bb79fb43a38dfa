//! Guest state that VM entries and exits leave alone and the hypervisor does not use: swapped when
//! a vCPU is loaded and unloaded.

use crate::cpu::debug::{self, Breakpoints};
use crate::cpu::register::{self, msr};

/// Values while the vCPU is not loaded.
pub struct Swapped {
    star: u64,
    lstar: u64,
    cstar: u64,
    sfmask: u64,
    kernel_gs_base: u64,
    cr2: u64,
    breakpoints: Breakpoints,
    /// DR7 is in the VMCS, and an exit disarms it.
    dr6: u64,
}

impl Swapped {
    /// The state after reset.
    pub const fn new() -> Self {
        Self {
            star: 0,
            lstar: 0,
            cstar: 0,
            sfmask: 0,
            kernel_gs_base: 0,
            cr2: 0,
            breakpoints: Breakpoints::new(),
            dr6: debug::DR6_RESET,
        }
    }

    /// Puts the values into the processor.
    pub fn load(&self) {
        // SAFETY: the hypervisor uses neither SYSCALL, SWAPGS nor CR2; the values were accepted from
        // the guest by the processor, or checked by `set`.
        unsafe {
            register::write_msr(msr::STAR, self.star);
            register::write_msr(msr::LSTAR, self.lstar);
            register::write_msr(msr::CSTAR, self.cstar);
            register::write_msr(msr::SFMASK, self.sfmask);
            register::write_msr(msr::KERNEL_GS_BASE, self.kernel_gs_base);
            register::set_cr2(self.cr2);
        }
        self.breakpoints.load();
        debug::set_dr6(self.dr6);
    }

    /// Takes the values from the processor.
    pub fn save(&mut self) {
        self.star = register::read_msr(msr::STAR);
        self.lstar = register::read_msr(msr::LSTAR);
        self.cstar = register::read_msr(msr::CSTAR);
        self.sfmask = register::read_msr(msr::SFMASK);
        self.kernel_gs_base = register::read_msr(msr::KERNEL_GS_BASE);
        self.cr2 = register::cr2();
        self.breakpoints.save();
        self.dr6 = debug::dr6();
    }

    /// Sets CR2, in the processor if the vCPU is loaded.
    pub fn set_cr2(&mut self, value: u64, loaded: bool) {
        self.cr2 = value;
        if loaded {
            // SAFETY: CR2 is the guest's while it is loaded; the hypervisor takes no page faults.
            unsafe { register::set_cr2(value) };
        }
    }

    /// One of the MSRs, for reading and writing while not loaded.
    pub fn msr(&mut self, register: u32) -> Option<&mut u64> {
        Some(match register {
            msr::STAR => &mut self.star,
            msr::LSTAR => &mut self.lstar,
            msr::CSTAR => &mut self.cstar,
            msr::SFMASK => &mut self.sfmask,
            msr::KERNEL_GS_BASE => &mut self.kernel_gs_base,
            _ => return None,
        })
    }
}

/// Adds the causes of a debug exception that exited: the processor reports them in the exit
/// qualification and leaves DR6 alone (SDM vol. 3, 28.1).
pub fn add_debug_causes(qualification: u64) {
    const CAUSES: u64 = 0xf | 1 << 13 | debug::SINGLE_STEP;
    debug::set_dr6(debug::dr6() & !0xf | qualification & CAUSES);
}
