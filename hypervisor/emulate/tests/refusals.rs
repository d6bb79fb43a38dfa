//! What is refused, the modes that the host's processor does not run, ports, lengths, and any bytes at all.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use emulate::length::{self, Exiting};
use emulate::mmio::{self, Fault};
use emulate::ports::PortAccess;
use emulate::{Access, Mode, Place, Refusal, Registers, decode};
use proptest::prelude::*;

fn at(rax: u64) -> Registers {
    Registers { gpr: [rax, 2, 3, 4, 0x8000, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], rip: 0x100, rflags: 2, segment_bases: [0; 6] }
}

fn read(bytes: &[u8], mode: Mode, registers: &Registers) -> Result<emulate::Plan, Refusal> {
    mmio::plan(bytes, mode, registers, Fault { address: 0xd000_0010, write: false })
}

#[test]
fn refusals_name_their_reason() {
    let here = at(0xffff_8000_0000_0010);
    // mov ecx, [rax]
    assert!(read(&[0x8b, 0x08], Mode::Bits64, &here).is_ok());
    assert_eq!(read(&[0x8b], Mode::Bits64, &here), Err(Refusal::Incomplete));
    assert_eq!(read(&[], Mode::Bits64, &here), Err(Refusal::Incomplete));
    assert_eq!(read(&[0x06; 15], Mode::Bits64, &here), Err(Refusal::Invalid));
    assert_eq!(read(&[0x66; 15], Mode::Bits64, &here), Err(Refusal::Invalid));
    // Another offset in the page, a store, no memory at all, an address beyond the page's end.
    assert_eq!(read(&[0x8b, 0x48, 4], Mode::Bits64, &here), Err(Refusal::Mismatch));
    assert_eq!(read(&[0x89, 0x08], Mode::Bits64, &here), Err(Refusal::Mismatch));
    assert_eq!(read(&[0x90], Mode::Bits64, &here), Err(Refusal::Mismatch));
    let end = Fault { address: 0xd000_0ffe, write: false };
    assert_eq!(mmio::plan(&[0x8b, 0x08], Mode::Bits64, &at(0xffe), end), Err(Refusal::CrossesPage));
    // movups xmm0, [rax]; fld dword [rax]; call [rax]; mov ds, [rax]; mul dword [rax]; vmovdqu ymm0, [rax].
    for bytes in [&[0x0f, 0x10, 0x00][..], &[0xd9, 0x00], &[0xff, 0x10], &[0x8e, 0x18], &[0xf7, 0x20]] {
        assert_eq!(read(bytes, Mode::Bits64, &here), Err(Refusal::NotEmulated), "{bytes:02x?}");
    }
    assert!(read(&[0xc5, 0xfe, 0x6f, 0x00], Mode::Bits64, &here).is_err());
}

#[test]
fn moffs_and_narrow_modes() {
    // mov eax, moffs64
    let mut registers = at(0);
    let plan = read(&[0xa1, 0x10, 0, 0, 0, 0, 0x80, 0xff, 0xff], Mode::Bits64, &registers).unwrap();
    assert_eq!(plan.load(), Some(Access { place: Place::Device(0xd000_0010), width: 4 }));
    assert_eq!((plan.finish(&mut registers, u64::MAX), registers.gpr[0], registers.rip), (None, 0xffff_ffff, 0x109));
    // 32 bits: mov al, [moffs32]; the segment's base counts and the sum wraps at 4 GiB.
    let mut registers = at(0x1122_3344_5566_7788);
    registers.segment_bases[3] = 0xffff_f000;
    let plan = read(&[0xa0, 0x10, 0x10, 0, 0], Mode::Bits32, &registers).unwrap();
    let _ = plan.finish(&mut registers, 0xaa);
    assert_eq!((registers.gpr[0], registers.rip), (0x1122_3344_5566_77aa, 0x105));
    // 16 bits: mov [bx+di], ax with offsets that wrap at 64 KiB, and with GS.
    let mut registers = at(0xbeef);
    registers.gpr[3] = 0xffff;
    registers.gpr[7] = 0x11;
    registers.segment_bases[5] = 0x1_0000;
    registers.rip = 0xfffe;
    let fault = Fault { address: 0xd000_0010, write: true };
    let plan = mmio::plan(&[0x65, 0x89, 0x01], Mode::Bits16, &registers, fault).unwrap();
    assert_eq!(plan.finish(&mut registers, 0), Some(0xbeef));
    assert_eq!(registers.rip, 1, "the instruction pointer wraps");
    // 64 bits: FS and GS have bases, the others have none.
    let mut registers = at(0);
    registers.segment_bases = [0x1, 0x2, 0x3, 0x4, 0x10, 0x5];
    assert!(read(&[0x64, 0x8b, 0x08], Mode::Bits64, &registers).is_ok());
    assert!(read(&[0x65, 0x8b, 0x08], Mode::Bits64, &registers).is_err());
    assert!(read(&[0x2e, 0x8b, 0x48, 0x10], Mode::Bits64, &registers).is_ok());
}

#[test]
fn narrow_strings_count_in_their_width() {
    // a32 rep movsd in 64-bit mode: ecx, esi and edi are used and zero-extended.
    let mut registers = at(0);
    registers.gpr[1] = 0xffff_ffff_0000_0002;
    registers.gpr[6] = 0xffff_ffff_0000_0010;
    registers.gpr[7] = 0xffff_ffff_ffff_fffe;
    let plan = read(&[0x67, 0xf3, 0xa5], Mode::Bits64, &registers).unwrap();
    assert_eq!(plan.store(), Some(Access { place: Place::Memory(0xffff_fffe), width: 4 }));
    assert_eq!(plan.finish(&mut registers, 5), Some(5));
    assert_eq!((registers.gpr[1], registers.gpr[6], registers.gpr[7], registers.rip), (1, 0x14, 2, 0x100));
    // A count of zero makes no access.
    registers.gpr[1] = 0xffff_ffff_0000_0000;
    registers.gpr[6] = 0x10;
    assert_eq!(read(&[0x67, 0xf3, 0xa5], Mode::Bits64, &registers), Err(Refusal::Mismatch));
}

#[test]
fn port_information_of_both_vendors() {
    let expected = PortAccess { port: 0x3f8, width: 1, write: true, string: false, rep: false };
    assert_eq!(PortAccess::from_svm(0x3f8 << 16 | 0x10), Some(expected));
    assert_eq!(PortAccess::from_vmx(0x3f8 << 16), Some(expected));
    let string = PortAccess { port: 0x60, width: 4, write: false, string: true, rep: true };
    assert_eq!(PortAccess::from_svm(0x60 << 16 | 0x4d), Some(string));
    assert_eq!(PortAccess::from_vmx(0x60 << 16 | 0x3b), Some(string));
    assert_eq!((PortAccess::from_svm(0), PortAccess::from_vmx(2)), (None, None));
    let mut registers = at(0x1122_3344_5566_7788);
    assert_eq!(expected.output(&registers), 0x88);
    expected.input(&mut registers, u32::MAX);
    assert_eq!(registers.gpr[0], 0x1122_3344_5566_77ff);
    PortAccess { width: 2, ..expected }.input(&mut registers, 0);
    assert_eq!(registers.gpr[0], 0x1122_3344_5566_0000);
    PortAccess { width: 4, ..expected }.input(&mut registers, 1);
    assert_eq!(registers.gpr[0], 1);
    assert_eq!([1, 2, 4].map(|width| PortAccess { width, ..expected }.nothing()), [0xff, 0xffff, 0xffff_ffff]);
}

#[test]
fn string_ports_move_one_element() {
    let mut registers = at(0);
    registers.gpr[2] = 0x60;
    let outs = PortAccess { port: 0x60, width: 2, write: true, string: true, rep: true };
    // rep outsw: from [rsi], twice.
    let plan = outs.plan(&[0xf3, 0x66, 0x6f], Mode::Bits64, &registers).unwrap();
    assert_eq!(plan.load(), Some(Access { place: Place::Memory(7), width: 2 }));
    assert_eq!(plan.store(), Some(Access { place: Place::Port(0x60), width: 2 }));
    assert_eq!(plan.finish(&mut registers, 0x1_2345), Some(0x2345));
    assert_eq!((registers.gpr[6], registers.gpr[1], registers.rip), (9, 1, 0x100));
    let plan = outs.plan(&[0xf3, 0x66, 0x6f], Mode::Bits64, &registers).unwrap();
    let _ = plan.finish(&mut registers, 0);
    assert_eq!((registers.gpr[1], registers.rip), (0, 0x103));
    registers.rip = 0x100;
    let plan = outs.plan(&[0xf3, 0x66, 0x6f], Mode::Bits64, &registers).unwrap();
    assert_eq!((plan.load(), plan.store(), plan.finish(&mut registers, 0)), (None, None, None));
    assert_eq!(registers.rip, 0x103);
    // insb does not match what the exit says.
    assert_eq!(outs.plan(&[0x6c], Mode::Bits64, &registers), Err(Refusal::Mismatch));
    let ins = PortAccess { port: 0x60, width: 1, write: false, string: true, rep: false };
    let plan = ins.plan(&[0x6c], Mode::Bits64, &registers).unwrap();
    assert_eq!(plan.store(), Some(Access { place: Place::Memory(8), width: 1 }));
}

#[test]
fn lengths_only_of_the_expected_instruction() {
    use Exiting::*;
    let table: &[(&[u8], Exiting, u32)] = &[
        (&[0x0f, 0xa2], Cpuid, 2),
        (&[0x0f, 0x32], Rdmsr, 2),
        (&[0x0f, 0x30], Wrmsr, 2),
        (&[0xf4, 0x90, 0x90], Hlt, 1),
        (&[0x0f, 0x01, 0xd9], Vmmcall, 3),
        (&[0x0f, 0x01, 0xc1], Vmcall, 3),
        (&[0x0f, 0x01, 0xd1], Xsetbv, 3),
        (&[0x0f, 0x31], Rdtsc, 2),
        (&[0x0f, 0x01, 0xf9], Rdtscp, 3),
        (&[0x0f, 0x33], Rdpmc, 2),
        (&[0x0f, 0x08], Invd, 2),
        (&[0x0f, 0x09], Wbinvd, 2),
        (&[0xf3, 0x90], Pause, 2),
        (&[0x44, 0x0f, 0x20, 0xc0], MoveControl, 4),
        (&[0x0f, 0x23, 0xf8], MoveDebug, 3),
        (&[0x0f, 0x01, 0xc8], Monitor, 3),
        (&[0x0f, 0x01, 0xc9], Mwait, 3),
        (&[0x0f, 0x01, 0x38], Invlpg, 3),
        (&[0x0f, 0x06], Clts, 2),
        (&[0x0f, 0x01, 0xd8], Vmrun, 3),
        (&[0x66, 0x67, 0x0f, 0xa2], Cpuid, 4),
    ];
    for &(bytes, what, expected) in table {
        assert_eq!(length::identify(bytes, Mode::Bits64), Ok((what, expected)));
        assert_eq!(length::length(bytes, Mode::Bits64, what), Ok(expected));
        let other = if what == Cpuid { Hlt } else { Cpuid };
        assert_eq!(length::length(bytes, Mode::Bits64, other), Err(Refusal::Another));
    }
    assert_eq!(length::identify(&[0x90], Mode::Bits32), Err(Refusal::Another));
    assert_eq!(length::identify(&[0x0f], Mode::Bits32), Err(Refusal::Incomplete));
}

#[test]
fn control_moves_name_both_registers() {
    // mov r8, cr8; mov cr0, eax; mov cr4, r15
    let read = length::control_move(&[0x45, 0x0f, 0x20, 0xc0], Mode::Bits64).unwrap();
    assert_eq!((read.control, read.write, read.length), (8, false, 4));
    let mut registers = at(77);
    read.register.write(&mut registers, 5);
    assert_eq!(registers.gpr[8], 5);
    let write = length::control_move(&[0x0f, 0x22, 0xc0], Mode::Bits32).unwrap();
    assert_eq!((write.control, write.write, write.register.read(&registers)), (0, true, 77));
    let write = length::control_move(&[0x41, 0x0f, 0x22, 0xe7], Mode::Bits64).unwrap();
    assert_eq!((write.control, write.register.read(&registers)), (4, 16));
    assert_eq!(length::control_move(&[0x8b, 0x08], Mode::Bits64), Err(Refusal::Another));
}

#[test]
fn the_decoder_can_be_prepared() {
    assert!(decode::prepare());
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Bits16), Just(Mode::Bits32), Just(Mode::Bits64)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// Whatever bytes and registers a guest has: no panic, and a plan keeps its promises.
    #[test]
    fn any_bytes(
        bytes in prop::collection::vec(any::<u8>(), 0..20),
        mode in mode(),
        gpr in any::<[u64; 16]>(),
        offset in prop::option::of(0u64..4096),
        rip in any::<u64>(),
        rflags in any::<u64>(),
        bases in any::<[u64; 6]>(),
        write in any::<bool>(),
        loaded in any::<u64>(),
    ) {
        // With an offset all registers point to the fault, so that many instructions get a plan.
        let gpr = offset.map_or(gpr, |offset| [offset; 16]);
        let registers = Registers { gpr, rip, rflags, segment_bases: offset.map_or(bases, |_| [0; 6]) };
        let fault = Fault { address: 0xd000_0000 + offset.unwrap_or(0), write };
        let _ = length::identify(&bytes, mode);
        let _ = length::control_move(&bytes, mode);
        for info in [loaded, loaded | 0x10] {
            if let Some(access) = PortAccess::from_svm(info) {
                let _ = access.plan(&bytes, mode, &registers).map(|plan| plan.finish(&mut registers.clone(), loaded));
            }
        }
        if let Ok(plan) = mmio::plan(&bytes, mode, &registers, fault) {
            let mut after = registers;
            let stored = plan.finish(&mut after, loaded);
            prop_assert_eq!(stored.is_some(), plan.store().is_some());
            let devices = [plan.load(), plan.store()].into_iter().flatten();
            let devices = devices.filter(|access| matches!(access.place, Place::Device(_)));
            for access in devices {
                prop_assert_eq!(access.place, Place::Device(fault.address));
                prop_assert!((fault.address & 4095) + u64::from(access.width) <= 4096);
            }
            prop_assert_eq!(after.segment_bases, registers.segment_bases);
            prop_assert!(after.rip == registers.rip || after.rip & !mode_mask(mode) == 0);
        }
    }
}

fn mode_mask(mode: Mode) -> u64 {
    match mode {
        Mode::Bits16 => 0xffff,
        Mode::Bits32 => 0xffff_ffff,
        Mode::Bits64 => u64::MAX,
    }
}
