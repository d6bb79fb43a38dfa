//! Segments of the hypervisor: flat 64-bit code and data, and a TSS with stacks for the
//! exceptions that must not trust the current one.

use super::this;
use core::arch::asm;

/// Selector of the code segment.
pub const CODE: u16 = 0x08;
/// Selector of the data segment.
pub const DATA: u16 = 0x10;
/// Selector of the task-state segment.
pub const TASK: u16 = 0x18;

/// Interrupt stack for #DF, NMI and #MC (index in the TSS, from 1).
pub const EMERGENCY_STACK: u8 = 1;

/// The 64-bit task-state segment (SDM vol. 3, 8.7).
#[derive(Clone, Copy)]
#[repr(C, packed)]
pub struct Tss {
    reserved0: u32,
    rsp: [u64; 3],
    reserved1: u64,
    ist: [u64; 7],
    reserved2: u64,
    reserved3: u16,
    io_map: u16,
}

impl Tss {
    /// An empty one.
    pub const fn new() -> Self {
        Self {
            reserved0: 0,
            rsp: [0; 3],
            reserved1: 0,
            ist: [0; 7],
            reserved2: 0,
            reserved3: 0,
            io_map: size_of::<Self>() as u16,
        }
    }
}

const STACK: usize = 8192;
static EMERGENCY: [Stack; super::MAX_CPUS as usize] =
    [const { Stack(core::cell::UnsafeCell::new([0; STACK])) }; super::MAX_CPUS as usize];
#[repr(align(16))]
struct Stack(core::cell::UnsafeCell<[u8; STACK]>);
// SAFETY: each CPU uses its own, as a stack only.
unsafe impl Sync for Stack {}

/// Loads this CPU's tables.
pub fn load() {
    let cpu = this();
    let top = EMERGENCY[cpu.number() as usize].0.get().addr() + STACK;
    let mut tss = Tss::new();
    tss.ist[EMERGENCY_STACK as usize - 1] = top as u64;
    cpu.tss.set(tss);
    let base = cpu.tss.as_ptr().addr() as u64;
    let limit = size_of::<Tss>() as u64 - 1;
    let low = limit & 0xffff | (base & 0xff_ffff) << 16 | 0x89 << 40 | (base >> 24 & 0xff) << 56;
    cpu.gdt.set([0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff, low, base >> 32, 0, 0, 0]);
    let pointer = Pointer { limit: 63, base: cpu.gdt.as_ptr().addr() as u64 };
    // SAFETY: the table lives as long as the CPU, and its code and data entries equal the ones in use.
    unsafe {
        asm!(
            "lgdt [{pointer}]",
            "push {code}",
            "lea {scratch}, [rip + 2f]",
            "push {scratch}",
            "retfq",
            "2:",
            "mov ds, {data:e}", "mov es, {data:e}", "mov ss, {data:e}",
            "ltr {task:x}",
            pointer = in(reg) &raw const pointer,
            code = const CODE as u64,
            data = in(reg) u32::from(DATA),
            task = in(reg) u32::from(TASK),
            scratch = out(reg) _,
        );
    }
}

/// Operand of LGDT and LIDT.
#[repr(C, packed)]
pub struct Pointer {
    /// Size of the table in bytes, less one.
    pub limit: u16,
    /// Its address.
    pub base: u64,
}
