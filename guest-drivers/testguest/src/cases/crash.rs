//! Guests that break their own machine: `crash-KIND`. All but those that never end must end with the
//! domain's reason told at each; none may concern anyone else. A case that returns has failed.

use crate::cpu::{self, apic, cpuid, in8, interrupts};
use crate::report::Outcome;
use crate::{fail, println};
use abi::platform::{DEBUG_PORT, LOW_RAM_END, VIRTIO_BASE};
use core::arch::asm;

/// No memory and no device of the platform.
const HOLE: u64 = LOW_RAM_END + 0x2000_0000;

/// What a kind does. None returns in a correct machine.
type Crash = fn();

/// Kinds, and what they do.
const KINDS: &[(&str, Crash)] = &[
    // TRIPLE_FAULT: no interrupt table.
    ("triple", || load_table(0, 0)),
    // BAD_ADDRESS (or TRIPLE_FAULT): the table, the page tables or the code are where no memory is.
    ("table-hole", || load_table(HOLE, 4095)),
    ("paging-hole", || load_paging(HOLE)),
    ("paging-beyond", || load_paging(0x70_0000_0000)),
    ("jump-hole", || jump(HOLE)),
    ("read-hole", || {
        // SAFETY: meant to end the domain.
        let _ = unsafe { core::ptr::read_volatile(HOLE as *const u32) };
    }),
    // SAFETY: meant to end the domain.
    ("write-hole", || unsafe { core::ptr::write_volatile(HOLE as *mut u32, 1) }),
    // EMULATION: code, stack, page tables or an interrupt table in a device; an instruction that is not emulated.
    ("jump-device", || jump(VIRTIO_BASE)),
    ("stack-device", || {
        // SAFETY: meant to end the domain.
        unsafe { asm!("mov rsp, {}", "int3", in(reg) VIRTIO_BASE + 0x800) }
    }),
    ("paging-device", || load_paging(VIRTIO_BASE)),
    ("table-device", || load_table(VIRTIO_BASE, 4095)),
    ("vector-device", || {
        // SAFETY: meant to end the domain; SSE is switched on for it, and no register of it is in use.
        unsafe {
            asm!("mov rcx, cr4", "or rcx, 0x600", "mov cr4, rcx", "movups xmm0, [rax]", in("rax") VIRTIO_BASE, out("rcx") _)
        }
    }),
    ("crossing-device", || {
        // SAFETY: meant to end the domain.
        unsafe { asm!("mov eax, [rax]", inout("rax") VIRTIO_BASE + 0xffe => _) }
    }),
    // These never end: dom0 has to.
    ("spin", || {
        loop {
            core::hint::spin_loop();
        }
    }),
    ("spin-enabled", || {
        cpu::enable_interrupts();
        loop {
            core::hint::spin_loop();
        }
    }),
    ("halt", || {
        loop {
            cpu::halt_forever_step();
        }
    }),
    ("debug-storm", super::storm::run),
    ("alignment-storm", || super::ring3::enter(true)),
    ("exits-cpuid", || {
        loop {
            cpuid(0, 0);
        }
    }),
    ("exits-port", || {
        loop {
            in8(DEBUG_PORT);
        }
    }),
    ("exits-interrupt", || {
        interrupts::handle(0x50, || apic::send(cpu::number(), apic::FIXED | 0x50));
        apic::send(cpu::number(), apic::FIXED | 0x50);
        loop {
            cpu::sleep();
        }
    }),
    ("exits-print", || {
        loop {
            println!("a guest that prints for ever");
        }
    }),
];

fn load_table(base: u64, limit: u16) {
    #[repr(C, packed)]
    struct Pointer(u16, u64);
    let pointer = Pointer(limit, base);
    // SAFETY: meant to end the domain.
    unsafe { asm!("lidt [{}]", "int3", in(reg) &raw const pointer) }
}

fn load_paging(root: u64) {
    // SAFETY: meant to end the domain.
    unsafe { asm!("mov cr3, {}", "nop", in(reg) root) }
}

fn jump(address: u64) {
    // SAFETY: meant to end the domain.
    unsafe { asm!("call {}", in(reg) address, clobber_abi("C")) }
}

/// Runs the kind that `name` ends in.
pub fn run(kind: &str) -> Outcome {
    let Some((_, crash)) = KINDS.iter().find(|(name, _)| *name == kind) else { fail!("there is no such crash") };
    println!("READY crash-{kind}");
    crash();
    fail!("the machine goes on")
}
