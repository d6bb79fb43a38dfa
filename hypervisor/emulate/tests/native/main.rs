//! Every emulated form against the host's processor: value, flags, registers and instruction pointer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::cast_possible_wrap, missing_docs)]

mod cases;
mod processor;

use cases::Case;
use emulate::flags::{AF, ARITHMETIC, DF};
use emulate::mmio::{self, Fault};
use emulate::{Mode, Place, Refusal, Registers};
use processor::Processor;

/// SplitMix64: the same numbers in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

const ROUNDS: usize = 40;

fn place(place: Place, data: u64) -> usize {
    match place {
        Place::Device(address) | Place::Memory(address) => (address - data) as usize,
        Place::Port(_) => panic!("a port in a memory access"),
    }
}

fn emulated(
    bytes: &[u8],
    rip: u64,
    fault: &dyn Fn(&Registers) -> u64,
    data: u64,
    registers: &mut Registers,
    memory: &mut [u8],
) {
    registers.rip = rip;
    for _ in 0..100 {
        let address = fault(registers);
        let try_as = |write| mmio::plan(bytes, Mode::Bits64, registers, Fault { address, write });
        let plan = match try_as(false) {
            Err(Refusal::Mismatch) => try_as(true),
            other => other,
        }
        .expect("a plan");
        let mut loaded = [0; 8];
        if let Some(access) = plan.load() {
            let at = place(access.place, data);
            loaded[..access.width as usize].copy_from_slice(&memory[at..][..access.width as usize]);
        }
        let stored = plan.finish(registers, u64::from_le_bytes(loaded));
        assert_eq!(stored.is_some(), plan.store().is_some());
        if let (Some(access), Some(value)) = (plan.store(), stored) {
            let at = place(access.place, data);
            memory[at..][..access.width as usize].copy_from_slice(&value.to_le_bytes()[..access.width as usize]);
        }
        if registers.rip != rip {
            return;
        }
    }
    panic!("a repeated instruction without end");
}

fn check(case: &Case, processor: &Processor, rng: &mut Random) {
    let data = processor.data();
    let device = data + cases::DEVICE;
    for _ in 0..ROUNDS {
        let mut registers = Registers::default();
        for r in &mut registers.gpr {
            *r = rng.next() >> (rng.next() & 63);
        }
        registers.rflags = 0x202 | (rng.next() & (ARITHMETIC | DF));
        let mut memory = vec![0; 8192];
        memory.fill_with(|| rng.next() as u8);
        // Equal values are as interesting as random ones.
        if rng.next() & 1 == 0 {
            let at = cases::DEVICE as usize;
            memory[at..at + 8].copy_from_slice(&registers.gpr[0].to_le_bytes());
        }
        registers.gpr[3] = device - 8;
        registers.gpr[4] = data + cases::PLAIN;
        (case.prepare)(&mut registers, data);
        let (mut expected, mut expected_memory) = (registers, memory.clone());
        let (bytes, rip) = processor.run(&case.emit, &mut expected, &mut expected_memory);
        let fault = |r: &Registers| (case.address)(r, data);
        emulated(&bytes, rip, &fault, data, &mut registers, &mut memory);
        let undefined = if case.af_undefined { AF } else { 0 };
        let compared = (ARITHMETIC | DF) & !undefined;
        assert_eq!(registers.gpr, expected.gpr, "registers of {} {bytes:02x?}", case.name);
        assert_eq!(registers.rflags & compared, expected.rflags & compared, "flags of {}", case.name);
        assert_eq!(registers.rip, expected.rip, "rip of {}", case.name);
        assert!(memory == expected_memory, "memory of {}", case.name);
    }
}

#[test]
fn every_form_does_what_the_processor_does() {
    let processor = Processor::new();
    let mut rng = Random(7);
    for case in &cases::all() {
        check(case, &processor, &mut rng);
    }
}
