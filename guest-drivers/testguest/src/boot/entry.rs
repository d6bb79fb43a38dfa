//! The PVH entry: 32-bit protected mode without paging, EBX = start info (Xen's x86 PVH boot ABI).
//! Maps the first 8 GiB one to one with 2 MiB pages, enters long mode and calls [`start`].

use super::{command_line, start_info};
use crate::cpu::{apic, interrupts};
use crate::{cases, clock, memory};
use core::arch::global_asm;

global_asm!(
    r#"
    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 8, 18          /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .quad pvh_start

    .section .boot.text, "ax"
    .code32
    .global pvh_start
pvh_start:
    cli
    cld
    mov edi, offset boot_pd
    xor ecx, ecx
2:  mov eax, ecx            /* entry ecx: address ecx * 2 MiB, present, writable, large */
    shl eax, 21
    or eax, 0x83
    mov [edi + ecx * 8], eax
    mov eax, ecx
    shr eax, 11
    mov [edi + ecx * 8 + 4], eax
    inc ecx
    cmp ecx, 4096
    jne 2b
    xor ecx, ecx
    mov eax, offset boot_pd + 3
3:  mov [boot_pdpt + ecx * 8], eax
    add eax, 4096
    inc ecx
    cmp ecx, 8
    jne 3b
    mov eax, offset boot_pdpt + 3
    mov [boot_pml4], eax

    mov eax, 0x20           /* PAE */
    mov cr4, eax
    mov eax, offset boot_pml4
    mov cr3, eax
    mov ecx, 0xc0000080     /* EFER: long mode, no-execute */
    rdmsr
    or eax, 0x900
    wrmsr
    mov eax, 0x80010033     /* PG WP NE ET MP PE */
    mov cr0, eax
    lgdt [boot_gdt_pointer]
    .byte 0xea              /* far jump */
    .long boot_long
    .word 8
    .code64
boot_long:
    mov eax, 16
    mov ds, eax
    mov es, eax
    mov ss, eax
    xor eax, eax
    mov fs, eax
    mov gs, eax
    mov rsp, offset boot_stack + 65536
    xor ebp, ebp
    mov edi, ebx
    call {start}
    ud2

    .section .data.boot, "aw"
    .balign 16
    .global boot_gdt_pointer
boot_gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff
boot_gdt_pointer:
    .word 31
    .quad boot_gdt

    .section .bss.boot, "aw", @nobits
    .balign 4096
    .global boot_pml4
boot_pml4: .skip 4096
boot_pdpt: .skip 4096
boot_pd: .skip 8 * 4096
boot_stack: .skip 65536
"#,
    start = sym start,
);

/// Addresses below this are mapped.
pub const MAPPED: u64 = 8 << 30;

extern "C" fn start(start_info: u64) -> ! {
    let info = start_info::read(start_info);
    command_line::keep(info.command_line);
    memory::keep(&info);
    interrupts::install();
    apic::enable();
    clock::prepare();
    cases::run()
}
