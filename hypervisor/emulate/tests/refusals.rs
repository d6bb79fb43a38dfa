//! What is refused and why, and the modes that the host's processor does not run.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use emulate::mmio::{self, Fault};
use emulate::{Access, Mode, Place, Refusal, Registers, decode};

fn at(rax: u64) -> Registers {
    Registers {
        gpr: [rax, 2, 3, 4, 0x8000, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
        rip: 0x100,
        rflags: 2,
        segment_bases: [0; 6],
    }
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
    assert_eq!(decode::instruction(&[0x06; 15], Mode::Bits64, 0), Err(Refusal::Invalid));
    assert_eq!(decode::instruction(&[0x66; 15], Mode::Bits64, 0), Err(Refusal::Invalid));
    // Another offset in the page, a store, an address beyond the page's end.
    assert_eq!(read(&[0x8b, 0x48, 4], Mode::Bits64, &here), Err(Refusal::Mismatch));
    assert_eq!(read(&[0x89, 0x08], Mode::Bits64, &here), Err(Refusal::Mismatch));
    let end = Fault { address: 0xd000_0ffe, write: false };
    assert_eq!(mmio::plan(&[0x8b, 0x08], Mode::Bits64, &at(0xffe), end), Err(Refusal::CrossesPage));
    // movups xmm0, [rax]; fld dword [rax]; call [rax]; mov ds, [rax]; mul dword [rax]; int3; push rax; nop.
    for bytes in
        [&[0x0f, 0x10, 0x00][..], &[0xd9, 0x00], &[0xff, 0x10], &[0x8e, 0x18], &[0xf7, 0x20], &[0xcc], &[0x50], &[0x90]]
    {
        assert_eq!(read(bytes, Mode::Bits64, &here), Err(Refusal::NotEmulated), "{bytes:02x?}");
    }
    // vmovdqu ymm0, [rax]: the decoder does not know vector encodings.
    assert!(matches!(
        read(&[0xc5, 0xfe, 0x6f, 0x00], Mode::Bits64, &here),
        Err(Refusal::NotEmulated | Refusal::Incomplete)
    ));
    assert_eq!(read(&[0x06; 15], Mode::Bits64, &here), Err(Refusal::NotEmulated));
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
fn the_decoder_can_be_prepared() {
    assert!(decode::prepare());
}
