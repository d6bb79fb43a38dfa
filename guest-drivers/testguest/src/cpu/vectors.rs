//! 256 interrupt entries: each calls the common one, which finds the vector from the return address.

use super::interrupts::{Frame, dispatch};
use core::arch::global_asm;

// Stack at the common entry: return address into the stub [error code] rip cs rflags rsp ss.
// The return address gives way to an error code of 0, or, where there is a real one, to the saved rax.
global_asm!(
    r#"
    .section .text.vectors, "ax"
    .balign 16
    .global interrupt_entries
interrupt_entries:
    .rept 256
    .balign 16
    call interrupt_common
    .endr
interrupt_common:
    push rax
    mov rax, [rsp + 8]
    sub rax, offset interrupt_entries
    shr rax, 4
    cmp rax, 32
    jae 2f
    push rcx
    mov ecx, 0x60227d00     /* vectors with an error code: 8 10-14 17 21 29 30 */
    bt ecx, eax
    pop rcx
    jnc 2f
    push rax
    mov rax, [rsp + 8]
    mov [rsp + 16], rax
    pop rax
    add rsp, 8
    jmp 3f
2:  mov qword ptr [rsp + 8], 0
3:  push rcx
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
    push rax                /* the vector */
    mov rdi, rsp
    mov rbp, rsp
    and rsp, -16
    cld
    call {dispatch}
    mov rsp, rbp
    add rsp, 8
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
    add rsp, 8
    iretq
"#,
    dispatch = sym enter,
);

// SAFETY: defined in the assembly above; only the address is used.
unsafe extern "C" {
    static interrupt_entries: u8;
}

/// Address of the entry for `vector`.
pub fn entry(vector: usize) -> u64 {
    (&raw const interrupt_entries) as u64 + vector as u64 * 16
}

extern "C" fn enter(frame: &mut Frame) {
    dispatch(frame);
}
