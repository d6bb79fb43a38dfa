//! Every instruction form that can reach a device register: the same instruction runs on ordinary
//! memory with the same contents, and registers, flags and contents must come out equal.
//!
//! Loads use the configuration space of the first virtio device (any width may read it, and what is stored there
//! is lost); stores and read-modify-writes use the IO-APIC's index register, which keeps 8 bits, is read with 32,
//! and knows nothing of 64.
//! Needs: a virtio device, best one with a configuration space (block, console, balloon).

use crate::device::virtio::{Device, MAGIC, reg};
use crate::report::Outcome;
use crate::{ensure, fail};
use abi::platform::{IOAPIC_BASE, VIRTIO_BASE};
use core::arch::asm;
use core::ptr;

/// CF, PF, ZF, SF, OF. Not AF: logic leaves it undefined.
const FLAGS: u64 = 0x8c5;

#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    rax: u64,
    rcx: u64,
    rflags: u64,
}

struct Form {
    text: &'static str,
    run: fn(u64, &mut State),
}

/// Instructions on [rdx], with rax and rcx; rsi, rdi and r9 (which points to 16 bytes of memory) are free.
macro_rules! forms {
    ($($text:literal),* $(,)?) => {
        &[$(Form { text: $text, run: |address, state| {
            let mut scratch = [0x8182_8384_8586_8788u64, 0x0102_0304_0506_0708];
            // SAFETY: the instruction touches its operand (a device register or a static), the scratch words
            // and the stack below the pointer, which is balanced at the end; there is no red zone.
            unsafe {
                asm!(
                    "push r8", "popfq", $text, "pushfq", "pop r8", "cld",
                    inout("rax") state.rax, inout("rcx") state.rcx, in("rdx") address,
                    inout("r8") state.rflags, in("r9") scratch.as_mut_ptr(), out("rsi") _, out("rdi") _,
                );
            }
            state.rflags &= FLAGS;
        } }),*]
    };
}

/// The same in 32-bit code, with edx, eax and ecx; edi points to the memory, esi and ebx are free.
macro_rules! forms_32 {
    ($($text:literal),* $(,)?) => {
        &[$(Form { text: concat!("32-bit ", $text), run: |address, state| {
            let mut scratch = [0x8182_8384_8586_8788u64, 0x0102_0304_0506_0708];
            // SAFETY: as above; all of it is below 4 GiB, selector 0x18 is 32-bit code, and the far jump comes back.
            unsafe {
                asm!(
                    "push rbx", "lea rsi, [rip + 72f]", "push 0x18", "push rsi", "push r8", "popfq", "retfq",
                    ".code32", "72:", $text, ".byte 0xea", ".long 73f", ".word 8", ".code64", "73:",
                    "pushfq", "pop r8", "pop rbx", "cld", "mov eax, eax", "mov ecx, ecx",
                    inout("rax") state.rax, inout("rcx") state.rcx, in("rdx") address,
                    inout("r8") state.rflags, inout("rdi") scratch.as_mut_ptr() => _, out("rsi") _,
                );
            }
            state.rflags &= FLAGS;
        } }),*]
    };
}

const LOADS: &[Form] = forms![
    "mov al, [rdx]",
    "mov ah, [rdx]",
    "mov cx, [rdx]",
    "mov eax, [rdx]",
    "mov rax, [rdx]",
    "movzx ax, byte ptr [rdx]",
    "movzx eax, byte ptr [rdx]",
    "movzx ecx, word ptr [rdx]",
    "movzx rax, word ptr [rdx]",
    "movsx ax, byte ptr [rdx]",
    "movsx ecx, byte ptr [rdx]",
    "movsx rax, byte ptr [rdx]",
    "movsx rax, word ptr [rdx]",
    "movsxd rax, dword ptr [rdx]",
    "movbe eax, [rdx]",
    "movbe rcx, [rdx]",
    "add eax, [rdx]",
    "adc rax, [rdx]",
    "sub cl, [rdx]",
    "sbb ecx, [rdx]",
    "and ax, [rdx]",
    "or rax, [rdx]",
    "xor ah, [rdx]",
    "cmp eax, [rdx]",
    "cmp [rdx], rcx",
    "cmp byte ptr [rdx], 0x7f",
    "test [rdx], eax",
    "test byte ptr [rdx], 1",
    "cmovz eax, [rdx]",
    "cmovnz rcx, [rdx]",
    "bt dword ptr [rdx], 7",
    "bt dword ptr [rdx], ecx",
    "mov eax, [edx]",
    "mov eax, [rdx + rcx * 8 - 24]",
    "mov eax, gs:[rdx]",
    "push qword ptr [rdx]\npop rax",
    "push word ptr [rdx]\npop ax",
    "mov rsi, rdx\nlodsb",
    "mov rsi, rdx\nlodsw",
    "mov rsi, rdx\nlodsd",
    "mov rsi, rdx\nlodsq",
    "mov rdi, rdx\nscasb",
    "mov rdi, rdx\nscasw",
    "mov rdi, rdx\nscasd",
    "mov rdi, rdx\nscasq",
    "mov rdi, rdx\nrepne scasb",
    "mov rdi, rdx\nrepe scasw",
    "mov rsi, rdx\nmov rdi, r9\nmovsb\nmov rax, [r9]",
    "mov rsi, rdx\nmov rdi, r9\nmovsw\nmov rax, [r9]",
    "mov rsi, rdx\nmov rdi, r9\nmovsd\nmov rax, [r9]",
    "mov rsi, rdx\nmov rdi, r9\nmovsq\nmov rax, [r9]",
    "mov rsi, rdx\nmov rdi, r9\nrep movsb\nmov rax, [r9]\nsub rdi, r9\nsub rsi, rdx\nshl rsi, 8\nlea rcx, [rsi + rdi]",
    "lea rsi, [rdx + 2]\nlea rdi, [r9 + 2]\nmov ecx, 3\nstd\nrep movsb\ncld\nmov rax, [r9]",
    "mov esi, edx\nmov rdi, r9\naddr32 lodsd",
    // Another value than that of edx:eax is there, and then the same.
    "push rbx\nmov rdi, rdx\nmov edx, 0x7a\ncmpxchg8b qword ptr [rdi]\nmov ecx, edx\nmov rdx, rdi\npop rbx",
    "push rbx\nmov rdi, rdx\nmov eax, [rdi]\nmov edx, [rdi + 4]\nmov ebx, eax\nmov ecx, edx\nlock cmpxchg8b qword ptr [rdi]\nmov rdx, rdi\npop rbx",
];

const LOADS_32: &[Form] = forms_32![
    "mov al, [edx]",
    "mov ah, cs:[edx + ecx * 8 - 24]",
    "mov eax, [edx]",
    "movzx ecx, word ptr [edx]",
    "adc eax, [edx]",
    "test dword ptr [edx], 0x80",
    "cmovnz ecx, [edx]",
    "push dword ptr [edx]\npop eax",
    "mov esi, edx\nlodsd",
    "mov esi, edx\nmovsw\nmov eax, [edi - 2]",
    "mov edi, edx\nscasb",
    "mov edi, edx\nmov edx, 0x7a\ncmpxchg8b qword ptr [edi]\nmov ecx, edx\nmov edx, edi",
];

const STORES: &[Form] = forms![
    "mov [rdx], eax",
    "mov dword ptr [rdx], 0x5a",
    "movnti [rdx], eax",
    "movbe [rdx], eax",
    "mov [rdx], al",
    "mov [rdx], ah",
    "mov byte ptr [rdx], 0x33",
    "mov [rdx], cx",
    "mov word ptr [rdx], 0x44",
    "setz [rdx]",
    "setnz [rdx]",
    "setc [rdx]",
    "setl [rdx]",
    "setg [rdx]",
    "seto [rdx]",
    "setbe [rdx]",
    "setns [rdx]",
    "setp [rdx]",
    "mov rdi, rdx\nstosb",
    "mov rdi, rdx\nstosw",
    "mov rdi, rdx\nstosd",
    "mov rdi, rdx\nmov ecx, 1\nrep stosd",
    "mov rdi, rdx\nmov rsi, r9\nmovsb",
    "mov rdi, rdx\nmov rsi, r9\nmovsw",
    "mov rdi, rdx\nmov rsi, r9\nmovsd",
    "push 0x66\npop word ptr [rdx]\nadd rsp, 6",
];

const CHANGES: &[Form] = forms![
    "add [rdx], eax",
    "lock add [rdx], eax",
    "add dword ptr [rdx], 5",
    "adc [rdx], ecx",
    "sub [rdx], eax",
    "sbb dword ptr [rdx], 1",
    "and [rdx], eax",
    "and dword ptr [rdx], 0x0f",
    "or [rdx], ecx",
    "or dword ptr [rdx], 0x80",
    "xor [rdx], eax",
    "xor dword ptr [rdx], 0xff",
    "inc dword ptr [rdx]",
    "lock inc dword ptr [rdx]",
    "dec dword ptr [rdx]",
    "not dword ptr [rdx]",
    "neg dword ptr [rdx]",
    "xchg [rdx], eax",
    "xchg ecx, [rdx]",
    "xadd [rdx], eax",
    "lock xadd [rdx], ecx",
    "cmpxchg [rdx], ecx",
    "lock cmpxchg [rdx], ecx",
    "bts dword ptr [rdx], 3",
    "btr dword ptr [rdx], 2",
    "lock btc dword ptr [rdx], 0",
    "bts [rdx], ecx",
];

/// On a register of 0: narrow reads of a 32-bit register give 0.
const NARROW_CHANGES: &[Form] = forms![
    "add [rdx], al",
    "or [rdx], ah",
    "xor [rdx], cl",
    "inc byte ptr [rdx]",
    "not byte ptr [rdx]",
    "add [rdx], cx",
    "xchg [rdx], al",
    "xadd [rdx], cl",
    "cmpxchg [rdx], cl",
    "bts word ptr [rdx], 5",
    "or word ptr [rdx], 0x11",
];

const CHANGES_32: &[Form] = forms_32![
    "mov [edx], eax",
    "mov byte ptr [edx], 0x33",
    "setnz [edx]",
    "mov edi, edx\nstosd",
    "push 0x66\npop dword ptr [edx]",
    "inc dword ptr [edx]",
    "lock xadd [edx], ecx",
    "cmpxchg [edx], ecx",
    "bts [edx], ecx",
];

/// Of 64 bits, on a register of 0; rcx + 1 is how far rdi moved.
const WIDE: &[Form] = forms![
    "mov [rdx], rax",
    "mov qword ptr [rdx], -2",
    "movnti [rdx], rax",
    "movbe [rdx], rcx",
    "mov rdi, rdx\nstosq\nnot rdx\nlea rcx, [rdi + rdx]\nnot rdx",
    "mov rdi, rdx\nmov rsi, r9\nmovsq\nnot rdx\nlea rcx, [rdi + rdx]\nnot rdx",
    "push rcx\npop qword ptr [rdx]",
    "xchg [rdx], rax",
    "lock xadd [rdx], rcx",
    "cmpxchg [rdx], rcx",
    "or [rdx], rax",
    "neg qword ptr [rdx]",
];

fn read(address: u64) -> u32 {
    // SAFETY: a device register or a local, named by this case.
    unsafe { ptr::read_volatile(address as *const u32) }
}

fn write(address: u64, value: u32) {
    // SAFETY: as in `read`.
    unsafe { ptr::write_volatile(address as *mut u32, value) }
}

/// Values of rax, rcx and the flags to start from.
const STATES: [State; 3] = [
    State { rax: 0x1122_3344_5566_0012, rcx: 3, rflags: 0x2 },
    State { rax: 0x35, rcx: 3, rflags: 0x43 },
    State { rax: 0xffff_ffff_ffff_0081, rcx: 3, rflags: 0x8c3 },
];

fn loads(forms: &[Form], device: u64) -> Outcome {
    let mut memory = [read(device), read(device + 4), read(device + 8), read(device + 12)];
    for form in forms {
        for start in STATES {
            let (mut real, mut expected) = (start, start);
            (form.run)(device, &mut real);
            (form.run)(memory.as_mut_ptr() as u64, &mut expected);
            same(form, real, expected)?;
        }
    }
    Ok(())
}

/// `wide`: of 64 bits, which leave the register as it was.
fn changes(forms: &[Form], initial: u32, wide: bool) -> Outcome {
    for form in forms {
        for start in STATES {
            let (mut real, mut expected) = (start, start);
            let mut memory = [initial, 0, 0, 0];
            write(IOAPIC_BASE, initial);
            (form.run)(IOAPIC_BASE, &mut real);
            (form.run)(memory.as_mut_ptr() as u64, &mut expected);
            // SAFETY: a local that the form changed behind the compiler's back.
            let stored = unsafe { ptr::read_volatile(memory.as_ptr()) };
            same(form, real, expected)?;
            let (register, left) = (read(IOAPIC_BASE), if wide { initial } else { stored });
            ensure!(register & 0xff == left & 0xff, "{:?} left {register:#x}, not {left:#x}", form.text);
        }
    }
    Ok(())
}

fn same(form: &Form, real: State, expected: State) -> Outcome {
    for (name, real, expected) in
        [("rax", real.rax, expected.rax), ("rcx", real.rcx, expected.rcx), ("rflags", real.rflags, expected.rflags)]
    {
        ensure!(real == expected, "{:?}: {name} {real:#x}, not {expected:#x}", form.text);
    }
    Ok(())
}

/// MOV of al, ax, eax or rax with an absolute address of 64 bits: opcode and prefixes, address, rax before and after.
macro_rules! moffs {
    ($bytes:literal, $address:expr, $rax:expr) => {{
        let mut rax: u64 = $rax;
        // SAFETY: a load or store of a device register.
        unsafe { asm!(concat!(".byte ", $bytes), ".quad {}", const $address, inout("rax") rax) };
        rax
    }};
}

fn absolute() -> Outcome {
    const LOAD: u64 = VIRTIO_BASE + reg::CONFIG;
    const BEFORE: u64 = 0x1122_3344_5566_775a;
    type Store = fn() -> u64;
    let content = u64::from(read(LOAD)) | u64::from(read(LOAD + 4)) << 32;
    for (text, rax, changed) in [
        ("al", moffs!("0xa0", LOAD, BEFORE), 0xff),
        ("ax", moffs!("0x66, 0xa1", LOAD, BEFORE), 0xffff),
        ("rax", moffs!("0x48, 0xa1", LOAD, BEFORE), u64::MAX),
    ] {
        let expected = BEFORE & !changed | content & changed;
        ensure!(rax == expected, "mov {text}, moffs gave rax {rax:#x}, not {expected:#x}");
    }
    let eax = moffs!("0xa1", LOAD, BEFORE);
    ensure!(eax == content & 0xffff_ffff, "mov eax, moffs gave rax {eax:#x}, not the low half of {content:#x}");
    let stores: [(&str, Store, u32); 4] = [
        ("al", || moffs!("0xa2", IOAPIC_BASE, BEFORE), 0x5a),
        ("ax", || moffs!("0x66, 0xa3", IOAPIC_BASE, BEFORE), 0x5a),
        ("eax", || moffs!("0xa3", IOAPIC_BASE, BEFORE), 0x5a),
        ("rax", || moffs!("0x48, 0xa3", IOAPIC_BASE, BEFORE), 0x35),
    ];
    for (text, store, left) in stores {
        write(IOAPIC_BASE, 0x35);
        let (rax, register) = (store(), read(IOAPIC_BASE));
        ensure!(rax == BEFORE && register == left, "mov moffs, {text} left {register:#x} and rax {rax:#x}");
    }
    Ok(())
}

pub fn run() -> Outcome {
    let Some(device) = Device::find(0) else { fail!("no virtio device") };
    ensure!(device.read(reg::MAGIC) == MAGIC && device.read(reg::VERSION) == 2, "not a modern virtio-mmio device");
    if device.address(0) == VIRTIO_BASE {
        absolute()?;
    }
    loads(LOADS, device.address(reg::CONFIG))?;
    loads(LOADS_32, device.address(reg::CONFIG))?;
    changes(STORES, 0x35, false)?;
    changes(CHANGES, 0x35, false)?;
    changes(CHANGES, 0x12, false)?;
    changes(CHANGES_32, 0x35, false)?;
    changes(NARROW_CHANGES, 0, false)?;
    changes(WIDE, 0, true)
}
