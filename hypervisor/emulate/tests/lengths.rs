//! Lengths of exiting instructions, and moves to and from control registers.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use emulate::length::{self, Exiting};
use emulate::{Mode, Refusal, Registers};

fn at(rax: u64) -> Registers {
    Registers {
        gpr: [rax, 2, 3, 4, 0x8000, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
        rip: 0x100,
        rflags: 2,
        segment_bases: [0; 6],
    }
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

/// What is known without decoding is what decoding says, whatever follows.
#[test]
fn plain_ones_are_what_they_seem() {
    let mut known = 0;
    for [first, second, third] in (0..=255)
        .flat_map(|second| (0..=255).map(move |third| [0x0f, second, third]))
        .chain([[0xf4, 0x0f, 0xa2], [0x66, 0x0f, 0xa2], [0xf3, 0xf4, 0x90]])
    {
        let bytes = [first, second, third, 0x90, 0x90, 0x90];
        for mode in [Mode::Bits16, Mode::Bits32, Mode::Bits64] {
            if let Some(length) = length::plain(&bytes) {
                known += 1;
                assert_eq!(length::identify(&bytes, mode).map(|(_, length)| length), Ok(length.into()), "{bytes:x?}");
            }
        }
    }
    assert_eq!(known, 3 * (5 * 256 + 3 + 1));
    assert_eq!((length::plain(&[]), length::plain(&[0x0f])), (None, None));
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
