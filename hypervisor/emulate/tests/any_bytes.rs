//! Whatever bytes and registers a guest has: no panic, and a plan keeps its promises.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use emulate::length;
use emulate::mmio::{self, Fault};
use emulate::ports::PortAccess;
use emulate::{Mode, Place, Registers};
use proptest::prelude::*;

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
