//! Port accesses of both vendors, and the string forms.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use emulate::ports::PortAccess;
use emulate::{Access, Mode, Place, Refusal, Registers};

fn at(rax: u64) -> Registers {
    Registers {
        gpr: [rax, 2, 3, 4, 0x8000, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
        rip: 0x100,
        rflags: 2,
        segment_bases: [0; 6],
    }
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
