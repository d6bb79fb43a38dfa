//! What a CPU does that runs no domain (`boot_cpu=idle`): ten times a second it makes the others look at their
//! interrupts, of which QEMU's TCG can lose the notice (docs/decisions/0011).

use super::kick::Kicks;
use super::timer;
use crate::cpu::{self, time};
use core::arch::asm;

const PERIOD_NS: u64 = 100_000_000;

/// Does so for ever.
pub fn nudge() -> ! {
    loop {
        timer::arm(Some(time::tsc() + time::ns_to_ticks(PERIOD_NS)));
        // SAFETY: STI takes effect after HLT began, so an interrupt that is pending ends it; no lock is held, and
        // handlers preserve all registers.
        unsafe { asm!("sti", "hlt", "cli", options(nomem)) };
        cpu::working().fold(Kicks::NONE, |kicks, cpu| kicks.with(Some(cpu))).send();
    }
}
