//! From GRUB's 32-bit protected mode to 64-bit Rust in the higher half.
//!
//! Multiboot2, section 3.1 (header) and 3.3 (machine state). The tables made here map the first
//! 4 GiB three times: one to one (until [`crate::memory::kernel_map`] replaces them), at the
//! direct map, and the first GiB at the image's link address.

use core::arch::global_asm;

global_asm!(
    r#"
    .section .multiboot2, "a"
    .align 8
multiboot2_header:
    .long 0xe85250d6, 0, multiboot2_header_end - multiboot2_header
    .long -(0xe85250d6 + 0 + (multiboot2_header_end - multiboot2_header))
    .align 8                       # modules on page boundaries
    .short 6, 0
    .long 8
    .align 8                       # end
    .short 0, 0
    .long 8
multiboot2_header_end:

    .section .boot.bss, "aw", @nobits
    .align 4096
    .global boot_pml4
boot_pml4:      .skip 4096
boot_pdpt:      .skip 4096
boot_pdpt_high: .skip 4096
boot_pd:        .skip 4096 * 4
    .section .bss, "aw", @nobits
    .align 4096
    .global boot_stack_guard
boot_stack_guard:
    .skip 4096                     # not mapped by the final tables
boot_stack:     .skip 65536
boot_stack_top:

    .section .boot.data, "aw"
    .align 16
    .global boot_gdt
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff       # 0x08: 64-bit code
    .quad 0x00cf93000000ffff       # 0x10: data
    .quad 0x00cf9b000000ffff       # 0x18: 32-bit code
    .global boot_gdtr
boot_gdtr:
    .short . - boot_gdt - 1
    .quad boot_gdt

    .section .boot.text, "ax"
    .code32
    .global _start32
_start32:
    cli
    cld
    mov edi, eax                   # multiboot2 magic
    mov esi, ebx                   # boot information
    mov esp, offset boot_stack_top - 0xffffffff80000000
    mov ebp, offset no_long_mode
    mov eax, 0x80000000
    cpuid
    cmp eax, 0x80000001
    jb refuse32
    mov eax, 0x80000001
    cpuid
    bt edx, 29
    jnc refuse32
    mov ebp, offset no_nx
    bt edx, 20
    jnc refuse32

    mov eax, offset boot_pdpt
    or eax, 3
    mov [boot_pml4], eax
    mov [boot_pml4 + 256 * 8], eax
    mov eax, offset boot_pdpt_high
    or eax, 3
    mov [boot_pml4 + 511 * 8], eax
    mov eax, offset boot_pd
    or eax, 3
    mov [boot_pdpt_high + 510 * 8], eax
    xor ecx, ecx
2:  mov [boot_pdpt + ecx * 8], eax
    add eax, 4096
    inc ecx
    cmp ecx, 4
    jb 2b
    xor ecx, ecx
    mov eax, 0x83
3:  mov [boot_pd + ecx * 8], eax
    add eax, 0x200000
    inc ecx
    cmp ecx, 2048
    jb 3b
    mov eax, offset boot_pml4
    call enter_long_mode
    lgdt [boot_gdtr]
    push 0x08
    mov eax, offset start64
    push eax
    retf

    # In: ebp = the line. To both serial ports and the screen, as panic::refuse does it later.
refuse32:
    mov edx, 0x2fb                 # COM2, 115200 baud, as log::serial programs it
    mov al, 0x80
    out dx, al
    mov edx, 0x2f8
    mov al, 1
    out dx, al
    inc edx
    mov al, 0
    out dx, al
    mov edx, 0x2fb
    mov al, 3
    out dx, al
    inc edx
    out dx, al
    mov esi, ebp
    mov edi, 0xb8000
4:  lodsb
    test al, al
    jz 7f
    mov edx, 0x2fd
    call send32
    mov edx, 0x3fd
    call send32
    cmp al, 0x20                   # the line's end is for the ports
    jb 4b
    mov ah, 7
    stosw
    jmp 4b
7:  hlt
    jmp 7b

    # In: al = a byte, edx = the line status register of a port. Waits for room, not for ever.
send32:
    mov bl, al
    mov ecx, 100000
5:  in al, dx
    test al, 0x20
    loopz 5b
    sub edx, 5
    mov al, bl
    out dx, al
    ret
no_long_mode: .asciz "Hypercube cannot start: the processor has no 64-bit mode\r\n"
no_nx:        .asciz "Hypercube cannot start: the processor has no NX (pages without execution), or the firmware switched it off\r\n"

    # In: eax = page-table root. PAE, long mode with no-execute, write protection.
enter_long_mode:
    mov cr3, eax
    mov eax, 0x20
    mov cr4, eax
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x900
    wrmsr
    mov eax, 0x80010033
    mov cr0, eax
    ret

    .code64
start64:
    mov ax, 0x10
    mov ds, ax
    mov es, ax
    mov ss, ax
    xor eax, eax
    mov fs, ax
    mov gs, ax
    lea rsp, [rip + boot_stack_top]
    movabs rsp, offset boot_stack_top
    xor ebp, ebp
    mov edi, edi
    mov esi, esi
    movabs rax, offset hypercube_main
    call rax
    ud2

    # Application processors start here, in real mode, at a page below 1 MiB to which this is copied.
    .section .boot.data
    .align 16
    .global ap_start, ap_end, ap_argument
    .code16
ap_start:
    cli
    cld
    mov ax, cs
    mov ds, ax
    movzx ebx, ax
    shl ebx, 4
    mov edi, offset ap_gdtr_offset
    lgdt [edi]
    mov eax, cr0
    or eax, 1
    mov cr0, eax
    .byte 0x66, 0xea
    .long ap_start32
    .short 0x18
ap_gdtr:
    .short 31
    .long boot_gdt
ap_end:
    .set ap_gdtr_offset, ap_gdtr - ap_start
    .section .boot.text
    .code32
ap_start32:
    mov ax, 0x10
    mov ds, ax
    mov es, ax
    mov ss, ax
    lea esp, [ebx + 4096]          # the rest of the page that it started in
    mov eax, [ap_argument]
    call enter_long_mode
    push 0x08
    mov eax, offset ap_start64
    push eax
    retf
    .code64
ap_start64:
    mov ax, 0x10
    mov ds, ax
    mov es, ax
    mov ss, ax
    xor eax, eax
    mov fs, ax
    mov gs, ax
    mov rsp, [ap_argument + 8]
    xor ebp, ebp
    mov rdi, [ap_argument + 16]
    movabs rax, offset ap_main
    call rax
    ud2
    .section .boot.data
    .align 8
ap_argument:                       # page-table root, stack, argument of ap_main
    .quad 0, 0, 0
    "#
);
