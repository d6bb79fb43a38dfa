//! Debug registers 0 to 3 and 6 (SDM vol. 3, 18.2; APM vol. 2, 13.1).
//!
//! No entry or exit switches DR0 to DR3: each back end swaps them when a vCPU is loaded and unloaded, so
//! that no domain sees another's. DR7, which arms them, is in the control structure of either vendor and
//! disarmed by every exit. The hypervisor itself sets no breakpoints.

use core::arch::asm;

/// DR6 after reset; its upper half must stay 0.
pub const DR6_RESET: u64 = 0xffff_0ff0;
/// DR6: a single step.
pub const SINGLE_STEP: u64 = 1 << 14;

/// DR0 to DR3 of a vCPU while it is not loaded.
pub struct Breakpoints([u64; 4]);

macro_rules! debug_register {
    ($read:ident, $write:ident, $name:literal) => {
        #[doc = concat!("Reads ", $name, ".")]
        pub fn $read() -> u64 {
            let value: u64;
            // SAFETY: reading a debug register has no side effect while DR7.GD is clear, as after every exit.
            unsafe { asm!(concat!("mov {}, ", $name), out(reg) value, options(nomem, nostack, preserves_flags)) };
            value
        }
        #[doc = concat!("Writes ", $name, ".")]
        pub fn $write(value: u64) {
            // SAFETY: breakpoints stay disarmed until an entry loads the guest's DR7.
            unsafe { asm!(concat!("mov ", $name, ", {}"), in(reg) value, options(nomem, nostack, preserves_flags)) };
        }
    };
}
debug_register!(dr0, set_dr0, "dr0");
debug_register!(dr1, set_dr1, "dr1");
debug_register!(dr2, set_dr2, "dr2");
debug_register!(dr3, set_dr3, "dr3");
debug_register!(dr6, set_dr6, "dr6");

impl Breakpoints {
    /// The state after reset.
    pub const fn new() -> Self {
        Self([0; 4])
    }

    /// Puts the addresses into the processor.
    pub fn load(&self) {
        let [zero, one, two, three] = self.0;
        set_dr0(zero);
        set_dr1(one);
        set_dr2(two);
        set_dr3(three);
    }

    /// Takes them from the processor.
    pub fn save(&mut self) {
        self.0 = [dr0(), dr1(), dr2(), dr3()];
    }
}
