//! Floating-point and vector state: the hypervisor uses none; guests' states are swapped whole.

use super::{cpuid, register};
use core::sync::atomic::{AtomicU64, Ordering};

/// XCR0 bits that this processor and the hypervisor support; 0 without XSAVE.
static SUPPORTED: AtomicU64 = AtomicU64::new(0);

/// x87, SSE, AVX, AVX-512 (three). Others (MPX, PKRU, AMX) are hidden from guests.
const WANTED: u64 = 0b1110_0111;

/// Bytes that hold any state in [`WANTED`]; checked against CPUID at start.
const SIZE: usize = 2816;

/// One vCPU's saved state.
#[repr(C, align(64))]
pub struct State {
    area: [u8; SIZE],
}

impl State {
    /// The state after reset: FCW 0x37f, MXCSR 0x1f80, all else zero (SDM vol. 1, 13.6).
    pub const fn new() -> Self {
        let mut area = [0; SIZE];
        area[0] = 0x7f;
        area[1] = 0x03;
        area[24] = 0x80;
        area[25] = 0x1f;
        Self { area }
    }
}

/// Turns the unit on, on this CPU.
pub fn enable() {
    let mut cr4 = register::cr4() | 1 << 9 | 1 << 10; // OSFXSR, OSXMMEXCPT
    let has_xsave = cpuid::read(1, 0).ecx >> 26 & 1 == 1;
    if has_xsave {
        cr4 |= 1 << 18;
    }
    // SAFETY: EM and TS clear, MP and NE set; the features were found by CPUID.
    unsafe {
        register::set_cr0(register::cr0() & !0b1100 | 0b10_0010);
        register::set_cr4(cr4);
    }
    if has_xsave {
        let leaf = cpuid::read(13, 0);
        let mut supported = (u64::from(leaf.edx) << 32 | u64::from(leaf.eax)) & WANTED;
        if supported & 0b1110_0000 != 0b1110_0000 || supported & 4 == 0 {
            supported &= 0b111;
        }
        SUPPORTED.store(supported, Ordering::Relaxed);
        // SAFETY: OSXSAVE is set and the bits are the processor's.
        unsafe { register::set_xcr0(supported) };
    }
}

/// XCR0 bits that a guest may set; 0 if there is no XSAVE.
pub fn supported() -> u64 {
    SUPPORTED.load(Ordering::Relaxed)
}

/// Saves the registers into `state`.
pub fn save(state: &mut State) {
    let mask = supported();
    let area = state.area.as_mut_ptr();
    // SAFETY: the area is 64-byte aligned and large enough for all bits in WANTED; XCR0 is set to
    // everything supported so that nothing is left out.
    unsafe {
        if mask == 0 {
            core::arch::asm!("fxsave64 [{}]", in(reg) area, options(nostack));
        } else {
            register::set_xcr0(mask);
            core::arch::asm!("xsave64 [{}]", in(reg) area, in("eax") mask as u32, in("edx") 0, options(nostack));
        }
    }
}

/// Loads the registers from `state`.
pub fn restore(state: &State) {
    let mask = supported();
    let area = state.area.as_ptr();
    // SAFETY: the area is what `save` wrote or the reset state; both are valid images.
    unsafe {
        if mask == 0 {
            core::arch::asm!("fxrstor64 [{}]", in(reg) area, options(nostack));
        } else {
            register::set_xcr0(mask);
            core::arch::asm!("xrstor64 [{}]", in(reg) area, in("eax") mask as u32, in("edx") 0, options(nostack));
        }
    }
}
