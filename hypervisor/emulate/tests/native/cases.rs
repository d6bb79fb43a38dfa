//! The forms: each an assembled instruction whose operand is the device. rbx is the device's address less 8.

use emulate::Registers;
use iced_x86::code_asm::*;

/// Offset of the device's register in the data pages.
pub const DEVICE: u64 = 0x800;
/// Offset of plain memory and of the stack.
pub const PLAIN: u64 = 0x1a00;

pub struct Case {
    pub name: &'static str,
    pub emit: fn(&mut CodeAssembler),
    /// Sets the registers that the form needs; the second argument is the address of the data pages.
    pub prepare: fn(&mut Registers, u64),
    /// The faulting address.
    pub address: fn(&Registers, u64) -> u64,
    pub af_undefined: bool,
}

const fn plain(name: &'static str, emit: fn(&mut CodeAssembler)) -> Case {
    Case { name, emit, prepare: |_, _| (), address: |_, data| data + DEVICE, af_undefined: false }
}

macro_rules! forms {
    ($($instruction:ident ($($operand:expr),*)),* $(,)?) => {
        [$(plain(
            stringify!($instruction $($operand),*),
            |a| a.$instruction($($operand),*).unwrap(),
        )),*]
    };
}

macro_rules! logic {
    ($($instruction:ident ($($operand:expr),*)),* $(,)?) => {
        [$(Case { af_undefined: true, ..plain(
            stringify!($instruction $($operand),*),
            |a| a.$instruction($($operand),*).unwrap(),
        ) }),*]
    };
}

fn b() -> AsmMemoryOperand {
    byte_ptr(rbx + 8)
}
fn w() -> AsmMemoryOperand {
    word_ptr(rbx + 8)
}
fn d() -> AsmMemoryOperand {
    dword_ptr(rbx + 8)
}
fn q() -> AsmMemoryOperand {
    qword_ptr(rbx + 8)
}

pub fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(forms![
        mov(al, b()),
        mov(ah, b()),
        mov(dh, b()),
        mov(sil, b()),
        mov(r9b, b()),
        mov(cx, w()),
        mov(r10w, w()),
        mov(edx, d()),
        mov(r11d, d()),
        mov(rax, q()),
        mov(r15, q()),
        mov(b(), al),
        mov(b(), ch),
        mov(b(), dil),
        mov(w(), dx),
        mov(d(), r8d),
        mov(q(), rbp),
        mov(b(), 0x85u32),
        mov(w(), 0x8001u32),
        mov(d(), 0x8765_4321u32),
        mov(q(), -2i32),
        mov(d(), 7u32),
        movzx(ax, b()),
        movzx(r9d, b()),
        movzx(rcx, b()),
        movzx(eax, w()),
        movzx(r14, w()),
        movsx(ax, b()),
        movsx(r9d, b()),
        movsx(rcx, b()),
        movsx(eax, w()),
        movsx(r14, w()),
        movsxd(rdx, d()),
        movbe(ax, w()),
        movbe(ecx, d()),
        movbe(r8, q()),
        movbe(w(), ax),
        movbe(d(), r9d),
        movbe(q(), rsi),
        movnti(d(), eax),
        movnti(q(), r12),
        mov(al, byte_ptr(rbx + rbp * 8 + 8)),
        mov(ecx, dword_ptr(r13)),
    ]);
    for case in &mut cases {
        case.prepare = |r, data| {
            // rbp as an index of zero, r13 as a base, and both otherwise unused.
            r.gpr[5] = 0;
            r.gpr[13] = data + DEVICE;
        };
    }
    cases.extend(forms![
        add(b(), al),
        add(ah, b()),
        add(w(), cx),
        add(edx, d()),
        add(d(), 0x8000_0001u32),
        add(q(), r9),
        add(rsi, q()),
        add(q(), -1i32),
        add(w(), 5u32),
        adc(b(), dl),
        adc(ecx, d()),
        adc(q(), rax),
        adc(d(), -1i32),
        sub(b(), bh),
        sub(w(), 0x7fffu32),
        sub(eax, d()),
        sub(q(), rcx),
        sub(r8, q()),
        sbb(b(), 1u32),
        sbb(d(), edi),
        sbb(rdx, q()),
        sbb(w(), ax),
        cmp(b(), al),
        cmp(al, b()),
        cmp(w(), -3i32),
        cmp(eax, d()),
        cmp(d(), eax),
        cmp(q(), rax),
        cmp(q(), 77i32),
        inc(b()),
        inc(w()),
        inc(d()),
        inc(q()),
        dec(b()),
        dec(w()),
        dec(d()),
        dec(q()),
        not(b()),
        not(d()),
        not(q()),
        neg(b()),
        neg(w()),
        neg(d()),
        neg(q()),
        xchg(b(), al),
        xchg(b(), dh),
        xchg(w(), r9w),
        xchg(d(), ecx),
        xchg(q(), rdi),
        xadd(b(), cl),
        xadd(b(), ah),
        xadd(w(), dx),
        xadd(d(), r8d),
        xadd(q(), rax),
        cmpxchg(b(), cl),
        cmpxchg(w(), dx),
        cmpxchg(d(), esi),
        cmpxchg(q(), r14),
        cmpxchg8b(q()),
        seto(b()),
        setno(b()),
        setb(b()),
        setae(b()),
        sete(b()),
        setne(b()),
        setbe(b()),
        seta(b()),
        sets(b()),
        setns(b()),
        setp(b()),
        setnp(b()),
        setl(b()),
        setge(b()),
        setle(b()),
        setg(b()),
        cmovo(ax, w()),
        cmovno(ecx, d()),
        cmovb(rdx, q()),
        cmovae(eax, d()),
        cmove(r9d, d()),
        cmovne(r10w, w()),
        cmovbe(rsi, q()),
        cmova(edi, d()),
        cmovs(eax, d()),
        cmovns(eax, d()),
        cmovp(eax, d()),
        cmovnp(eax, d()),
        cmovl(eax, d()),
        cmovge(eax, d()),
        cmovle(eax, d()),
        cmovg(eax, d()),
        bt(w(), 3u32),
        bt(d(), 31u32),
        bts(q(), 63u32),
        btr(d(), 17u32),
        btc(w(), 200u32),
    ]);
    cases.extend([
        plain("lock add", |a| a.lock().add(d(), eax).unwrap()),
        plain("lock cmpxchg", |a| a.lock().cmpxchg(q(), rcx).unwrap()),
        plain("lock xadd", |a| a.lock().xadd(w(), cx).unwrap()),
        plain("lock inc", |a| a.lock().inc(b()).unwrap()),
        Case {
            prepare: |r, _| {
                r.gpr[0] &= 0xffff_ffff;
                r.gpr[2] &= 0xffff_ffff;
            },
            ..plain("lock cmpxchg8b", |a| a.lock().cmpxchg8b(q()).unwrap())
        },
    ]);
    cases.extend(logic![
        and(b(), al),
        and(b(), 0x0fu32),
        and(cx, w()),
        and(d(), r8d),
        and(q(), -16i32),
        and(rdx, q()),
        or(b(), dh),
        or(w(), 0x100u32),
        or(eax, d()),
        or(q(), rcx),
        xor(b(), 0xffu32),
        xor(w(), ax),
        xor(r11d, d()),
        xor(q(), rdi),
        test(b(), al),
        test(b(), 0x80u32),
        test(d(), ecx),
        test(q(), 0x10i32),
        test(w(), 0x8000u32),
    ]);
    cases.extend(addressing());
    cases.extend(bits());
    cases.extend(stack());
    cases.extend(text());
    cases
}

/// Prefixes and unusual addresses.
fn addressing() -> Vec<Case> {
    let mut cases = vec![
        plain("32-bit address", |a| a.mov(eax, dword_ptr(ebx + 8)).unwrap()),
        plain("scaled index", |a| a.mov(rax, qword_ptr(rcx + rdx * 4 - 16)).unwrap()),
        plain("wrapping base", |a| a.mov(dword_ptr(rcx + rdx * 4 - 16), 9u32).unwrap()),
    ];
    for case in &mut cases[1..] {
        case.prepare = |r, data| {
            r.gpr[2] = 0u64.wrapping_sub(3);
            r.gpr[1] = data + DEVICE + 16 + 12;
        };
    }
    cases[0].prepare = |r, _| r.gpr[3] |= 0xdead_beef_0000_0000;
    cases
}

macro_rules! bit {
    ($instruction:ident, $pointer:ident, $register:ident, $width:literal) => {
        Case {
            // Bit offsets reach 128 bytes down and up.
            prepare: |r, _| {
                let offset = (r.gpr[1] as i64 % 1024) as u64;
                let mask = if $width == 8 { u64::MAX } else { (1u64 << ($width * 8 % 64)) - 1 };
                r.gpr[1] = (r.gpr[1] & !mask) | (offset & mask);
            },
            address: |r, data| {
                let shift = 64 - 8 * $width;
                let bit = ((r.gpr[1] << shift) as i64) >> shift;
                (data + DEVICE).wrapping_add((bit.div_euclid(8 * $width) * $width) as u64)
            },
            ..plain(concat!(stringify!($instruction), " by register ", $width), |a| {
                a.$instruction($pointer(rbx + 8), $register).unwrap();
            })
        }
    };
}

fn bits() -> Vec<Case> {
    vec![
        bit!(bt, word_ptr, cx, 2),
        bit!(bt, dword_ptr, ecx, 4),
        bit!(bt, qword_ptr, rcx, 8),
        bit!(bts, word_ptr, cx, 2),
        bit!(bts, dword_ptr, ecx, 4),
        bit!(btr, qword_ptr, rcx, 8),
        bit!(btc, dword_ptr, ecx, 4),
    ]
}

fn stack() -> Vec<Case> {
    vec![
        plain("push qword", |a| a.push(q()).unwrap()),
        plain("push word", |a| a.push(w()).unwrap()),
        plain("pop qword", |a| a.pop(q()).unwrap()),
        plain("pop word", |a| a.pop(w()).unwrap()),
        // The operand's address counts from the advanced pointer.
        plain("pop [rsp]", |a| a.pop(qword_ptr(rsp - ((PLAIN - DEVICE) as i32 + 8))).unwrap()),
        plain("push [rsp]", |a| a.push(qword_ptr(rsp - (PLAIN - DEVICE) as i32)).unwrap()),
    ]
}

fn from_device(r: &mut Registers, data: u64) {
    (r.gpr[6], r.gpr[7], r.gpr[1]) = (data + DEVICE, data + PLAIN, 1 + r.gpr[1] % 5);
}

fn to_device(r: &mut Registers, data: u64) {
    (r.gpr[6], r.gpr[7], r.gpr[1]) = (data + PLAIN, data + DEVICE, 1 + r.gpr[1] % 5);
}

macro_rules! text {
    ($name:literal, $prepare:ident, $pointer:literal, |$a:ident| $emit:expr) => {
        Case { prepare: $prepare, address: |r, _| r.gpr[$pointer], ..plain($name, |$a| $emit.unwrap()) }
    };
}

fn text() -> Vec<Case> {
    vec![
        text!("movsb from", from_device, 6, |a| a.movsb()),
        text!("movsw from", from_device, 6, |a| a.movsw()),
        text!("movsd to", to_device, 7, |a| a.movsd()),
        text!("movsq to", to_device, 7, |a| a.movsq()),
        text!("rep movsb from", from_device, 6, |a| a.rep().movsb()),
        text!("rep movsd from", from_device, 6, |a| a.rep().movsd()),
        text!("rep movsw to", to_device, 7, |a| a.rep().movsw()),
        text!("rep movsq to", to_device, 7, |a| a.rep().movsq()),
        text!("stosb", to_device, 7, |a| a.stosb()),
        text!("stosd", to_device, 7, |a| a.stosd()),
        text!("rep stosw", to_device, 7, |a| a.rep().stosw()),
        text!("rep stosq", to_device, 7, |a| a.rep().stosq()),
        text!("lodsb", from_device, 6, |a| a.lodsb()),
        text!("lodsw", from_device, 6, |a| a.lodsw()),
        text!("lodsd", from_device, 6, |a| a.lodsd()),
        text!("rep lodsq", from_device, 6, |a| a.rep().lodsq()),
        text!("scasb", to_device, 7, |a| a.scasb()),
        text!("repne scasb", to_device, 7, |a| a.repne().scasb()),
        text!("repe scasd", to_device, 7, |a| a.repe().scasd()),
        text!("repne scasq", to_device, 7, |a| a.repne().scasq()),
    ]
}
