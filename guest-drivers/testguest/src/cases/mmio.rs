//! Every instruction form that can reach a device register: the same instruction runs on ordinary
//! memory with the same contents, and registers, flags and contents must come out equal.
//!
//! Loads use the configuration space of the first virtio device (any width may read it); stores and
//! read-modify-writes use the IO-APIC's index register, which keeps 8 bits and is read with 32.
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
    "mov rdi, rdx\nscasd",
    "mov rdi, rdx\nrepne scasb",
    "mov rdi, rdx\nrepe scasw",
    "mov rsi, rdx\nmov rdi, r9\nmovsb\nmov rax, [r9]",
    "mov rsi, rdx\nmov rdi, r9\nmovsq\nmov rax, [r9]",
    "mov rsi, rdx\nmov rdi, r9\nrep movsb\nmov rax, [r9]\nsub rdi, r9\nsub rsi, rdx\nshl rsi, 8\nlea rcx, [rsi + rdi]",
    "lea rsi, [rdx + 2]\nlea rdi, [r9 + 2]\nmov ecx, 3\nstd\nrep movsb\ncld\nmov rax, [r9]",
    "mov esi, edx\nmov rdi, r9\naddr32 lodsd",
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

fn loads(device: u64) -> Outcome {
    let memory = [read(device), read(device + 4), read(device + 8), read(device + 12)];
    for form in LOADS {
        for start in STATES {
            let (mut real, mut expected) = (start, start);
            (form.run)(device, &mut real);
            (form.run)(memory.as_ptr() as u64, &mut expected);
            same(form, real, expected)?;
        }
    }
    Ok(())
}

fn changes(forms: &[Form], initial: u32) -> Outcome {
    for form in forms {
        for start in STATES {
            let (mut real, mut expected) = (start, start);
            let mut memory = [initial, 0];
            write(IOAPIC_BASE, initial);
            (form.run)(IOAPIC_BASE, &mut real);
            (form.run)(memory.as_mut_ptr() as u64, &mut expected);
            // SAFETY: a local that the form changed behind the compiler's back.
            let memory = unsafe { ptr::read_volatile(memory.as_ptr()) };
            same(form, real, expected)?;
            let register = read(IOAPIC_BASE);
            ensure!(register & 0xff == memory & 0xff, "{:?} left {register:#x}, not {memory:#x}", form.text);
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

pub fn run() -> Outcome {
    let Some(device) = Device::find(0) else { fail!("no virtio device") };
    ensure!(device.read(reg::MAGIC) == MAGIC && device.read(reg::VERSION) == 2, "not a modern virtio-mmio device");
    if device.address(0) == VIRTIO_BASE {
        let value: u64;
        // SAFETY: MOV with an absolute address (moffs), of a device register.
        unsafe { asm!(".byte 0xa1", ".quad {}", const VIRTIO_BASE, out("rax") value) };
        ensure!(value == u64::from(MAGIC), "mov eax, moffs gave {value:#x}");
    }
    loads(device.address(reg::CONFIG))?;
    changes(STORES, 0x35)?;
    changes(CHANGES, 0x35)?;
    changes(CHANGES, 0x12)?;
    changes(NARROW_CHANGES, 0)
}
