//! Control, model-specific and extended control registers of the real CPU.

use core::arch::asm;

/// Model-specific registers by their manual names, as far as they are used here.
pub mod msr {
    pub const TSC: u32 = 0x10;
    pub const APIC_BASE: u32 = 0x1b;
    pub const FEATURE_CONTROL: u32 = 0x3a;
    pub const SYSENTER_CS: u32 = 0x174;
    pub const SYSENTER_ESP: u32 = 0x175;
    pub const SYSENTER_EIP: u32 = 0x176;
    pub const MISC_ENABLE: u32 = 0x1a0;
    pub const PAT: u32 = 0x277;
    pub const TSC_DEADLINE: u32 = 0x6e0;
    pub const EFER: u32 = 0xc000_0080;
    pub const STAR: u32 = 0xc000_0081;
    pub const LSTAR: u32 = 0xc000_0082;
    pub const CSTAR: u32 = 0xc000_0083;
    pub const SFMASK: u32 = 0xc000_0084;
    pub const FS_BASE: u32 = 0xc000_0100;
    pub const GS_BASE: u32 = 0xc000_0101;
    pub const KERNEL_GS_BASE: u32 = 0xc000_0102;
    pub const TSC_AUX: u32 = 0xc000_0103;
    pub const VM_CR: u32 = 0xc001_0114;
    pub const VM_HSAVE_PA: u32 = 0xc001_0117;
}

/// Reads a model-specific register that the caller knows to exist.
pub fn read_msr(register: u32) -> u64 {
    // SAFETY: reading an existing register has no effect on memory; an absent one raises #GP,
    // which ends in the panic handler.
    unsafe { x86::msr::rdmsr(register) }
}

/// Writes a model-specific register.
///
/// # Safety
/// The value must keep the CPU's and the hypervisor's assumptions (tables, segments, modes).
pub unsafe fn write_msr(register: u32, value: u64) {
    // SAFETY: passed on to the caller.
    unsafe { x86::msr::wrmsr(register, value) }
}

macro_rules! control {
    ($read:ident, $write:ident, $name:literal) => {
        #[doc = concat!("Reads ", $name, ".")]
        #[allow(dead_code)] // the set is complete, whichever back end uses which
        pub fn $read() -> u64 {
            let value: u64;
            // SAFETY: reading a control register has no side effect.
            unsafe { asm!(concat!("mov {}, ", $name), out(reg) value, options(nomem, nostack, preserves_flags)) };
            value
        }
        #[doc = concat!("Writes ", $name, ".\n\n# Safety\nThe value must keep the hypervisor's mapping and modes.")]
        #[allow(dead_code)] // as above
        pub unsafe fn $write(value: u64) {
            // SAFETY: passed on to the caller.
            unsafe { asm!(concat!("mov ", $name, ", {}"), in(reg) value, options(nostack, preserves_flags)) };
        }
    };
}
control!(cr0, set_cr0, "cr0");
control!(cr2, set_cr2, "cr2");
control!(cr3, set_cr3, "cr3");
control!(cr4, set_cr4, "cr4");
control!(cr8, set_cr8, "cr8");

/// Writes an extended control register; XCR0 is number 0.
///
/// # Safety
/// CR4.OSXSAVE must be set and the value be one that CPUID leaf 13 allows.
pub unsafe fn set_xcr0(value: u64) {
    // SAFETY: passed on to the caller.
    unsafe {
        asm!("xsetbv", in("ecx") 0, in("eax") value as u32, in("edx") (value >> 32) as u32, options(nomem, nostack))
    };
}

/// Reads XCR0; CR4.OSXSAVE must be set.
pub fn xcr0() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: reading has no side effect; the callers checked that XSAVE is enabled.
    unsafe { asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") high, options(nomem, nostack)) };
    u64::from(high) << 32 | u64::from(low)
}
