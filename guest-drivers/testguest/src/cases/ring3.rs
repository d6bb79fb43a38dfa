//! The smallest ring 3: 32-bit protected mode without paging, flat segments, one gate whose handler is in
//! ring 3 too, so that no stack is switched. There, with CR0.AM and EFLAGS.AC, an access that is not aligned
//! raises #AC.
//!
//! Two uses. `alignment`: it arrives once, with the right frame, on an aligned stack; ends with exit code 0, or
//! 4 on processors (QEMU's TCG) that check no alignment. `crash-alignment-storm` (CVE-2015-5307): the stack is not
//! aligned, so that the delivery itself raises the next one. On a processor that the hypervisor does not
//! interrupt, this never ends.

use crate::report::Outcome;
use core::arch::global_asm;

global_asm!(
    r#"
    .section .boot.text, "ax"
    .code64
    .global ring3_enter
ring3_enter:                /* edi: bytes that the stack is off by */
    cli
    lgdt [ring3_gdt_pointer]
    lidt [ring3_idt_pointer]
    mov eax, offset ring3_handler
    mov word ptr [ring3_gate], ax
    shr eax, 16
    mov word ptr [ring3_gate + 6], ax
    push 8
    lea rax, [rip + 2f]
    push rax
    retfq
    .code32
2:  mov eax, 16
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov esp, offset ring3_stack_top
    mov eax, cr0
    and eax, 0x7fffffff     /* no paging, and so no long mode */
    or eax, 0x40000         /* AM */
    mov cr0, eax
    mov ecx, 0xc0000080
    rdmsr
    and eax, 0xfffffeff
    wrmsr
    mov ebx, offset ring3_stack_top - 64
    sub ebx, edi
    push 0x23
    push ebx
    push 0x43002            /* AC, I/O privilege 3 */
    push 0x1b
    mov eax, offset ring3_code
    push eax
    iretd
ring3_code:
    mov eax, 0x23
    mov ds, eax
    test edi, edi
    jnz 4f
ring3_access:
    mov eax, [ring3_stack_top - 7]
    mov eax, 4
    jmp 3f
4:  mov eax, [esp]
    jmp 4b
ring3_handler:              /* error code, EIP, CS, EFLAGS */
    mov eax, 5
    cmp dword ptr [esp], 0
    jne 3f
    cmp dword ptr [esp + 4], offset ring3_access
    jne 3f
    cmp dword ptr [esp + 8], 0x1b
    jne 3f
    xor eax, eax
3:  mov edx, {exit}
    out dx, eax
    jmp 3b
    .code64

    .section .data.boot, "aw"
    .balign 16
ring3_gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff
ring3_gdt_pointer:
    .word 39
    .quad ring3_gdt
    .balign 16
ring3_idt:
    .skip 17 * 8
ring3_gate:                 /* 32-bit interrupt gate, code segment 0x1b */
    .word 0, 0x1b, 0x8e00, 0
ring3_idt_pointer:
    .word 143
    .quad ring3_idt

    .section .bss.boot, "aw", @nobits
    .balign 16
    .skip 1024
ring3_stack_top: .skip 16
"#,
    exit = const abi::platform::EXIT_PORT,
);

// SAFETY: defined in the assembly above; never returns, and needs nothing of the state that it leaves.
unsafe extern "C" {
    fn ring3_enter(off: u32) -> !;
}

/// Goes there for good; `storm` with a stack that is not aligned.
pub fn enter(storm: bool) {
    // SAFETY: the machine is given up.
    unsafe { ring3_enter(u32::from(storm)) }
}

pub fn run() -> Outcome {
    enter(false);
    Ok(())
}
