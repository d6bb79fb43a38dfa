//! Interrupts and exceptions of the hypervisor itself.
//!
//! Exceptions are bugs of ours and end in a crash record. Interrupts arrive only in the
//! scheduler's window, where no lock is held, so their handler may take locks.

use super::gdt;
use core::arch::{asm, global_asm};
use core::cell::UnsafeCell;

/// Registers as an interrupt or exception left them.
#[derive(Debug)]
#[repr(C)]
#[allow(missing_docs)]
pub struct Frame {
    pub r15: u64,
    pub r14: u64,
    pub r13: u64,
    pub r12: u64,
    pub r11: u64,
    pub r10: u64,
    pub r9: u64,
    pub r8: u64,
    pub rdi: u64,
    pub rsi: u64,
    pub rbp: u64,
    pub rbx: u64,
    pub rdx: u64,
    pub rcx: u64,
    pub rax: u64,
    pub vector: u64,
    pub error: u64,
    pub rip: u64,
    pub cs: u64,
    pub rflags: u64,
    pub rsp: u64,
    pub ss: u64,
}

// 256 stubs of 16 bytes: push an error code where the processor does not, push the vector, go on.
global_asm!(
    r#"
    .text
    .align 16
    .global interrupt_stubs
interrupt_stubs:
    .set vector, 0
    .rept 256
    .align 16
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
    push 0
    .endif
    push vector
    jmp interrupt_common
    .set vector, vector + 1
    .endr
interrupt_common:
    cld
    push rax
    push rcx
    push rdx
    push rbx
    push rbp
    push rsi
    push rdi
    push r8
    push r9
    push r10
    push r11
    push r12
    push r13
    push r14
    push r15
    mov rdi, rsp
    mov rbp, rsp
    and rsp, -16
    call interrupt_entry
    mov rsp, rbp
    pop r15
    pop r14
    pop r13
    pop r12
    pop r11
    pop r10
    pop r9
    pop r8
    pop rdi
    pop rsi
    pop rbp
    pop rbx
    pop rdx
    pop rcx
    pop rax
    add rsp, 16
    iretq
    "#
);

// SAFETY: defined in the assembly above; only its address is used.
unsafe extern "C" {
    static interrupt_stubs: [u8; 256 * 16];
}

struct Table(UnsafeCell<[[u64; 2]; 256]>);
// SAFETY: written once by the boot CPU before the others start, then only read (by hardware).
unsafe impl Sync for Table {}
static TABLE: Table = Table(UnsafeCell::new([[0; 2]; 256]));

/// Fills the table. Once, on the boot CPU.
pub fn build() {
    let base = (&raw const interrupt_stubs).addr() as u64;
    // SAFETY: no other CPU runs yet, and no reference to the table exists.
    let table = unsafe { &mut *TABLE.0.get() };
    for (vector, entry) in (0u64..).zip(table.iter_mut()) {
        let address = base + vector * 16;
        let stack = if matches!(vector, 2 | 8 | 18) { u64::from(gdt::EMERGENCY_STACK) } else { 0 };
        entry[0] =
            address & 0xffff | u64::from(gdt::CODE) << 16 | stack << 32 | 0x8e << 40 | (address >> 16 & 0xffff) << 48;
        entry[1] = address >> 32;
    }
}

/// Makes this CPU use the table.
pub fn load() {
    let pointer = gdt::Pointer { limit: 4095, base: TABLE.0.get().addr() as u64 };
    // SAFETY: the table is complete and lives for ever.
    unsafe { asm!("lidt [{}]", in(reg) &raw const pointer, options(nostack, readonly)) };
}

/// Every interrupt and exception comes here.
// SAFETY: no other symbol has this name; the assembly that calls it keeps to the C calling convention.
#[unsafe(no_mangle)]
extern "C" fn interrupt_entry(frame: &mut Frame) {
    match frame.vector {
        2 => super::panic::stop_if_crashed(), // any other NMI is spurious, and must not end the machine
        0..32 => super::panic::exception(frame),
        vector => crate::sched::interrupt(vector as u8),
    }
}
