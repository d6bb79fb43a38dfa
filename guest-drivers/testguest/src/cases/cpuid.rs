//! CPUID: what a guest is told about its processor.

use crate::cpu::cpuid;
use crate::report::Outcome;
use crate::{clock, ensure};
use abi::platform::{CPUID_KVM, CPUID_OWN, CPUID_OWN_SIGNATURE};

pub fn run() -> Outcome {
    let [highest, b, d, c] = cpuid(0, 0);
    ensure!(highest >= 7, "highest standard leaf {highest:#x}");
    let vendor = [b, c, d];
    let amd = vendor == [u32::from_le_bytes(*b"Auth"), u32::from_le_bytes(*b"enti"), u32::from_le_bytes(*b"cAMD")];
    let intel = vendor == [u32::from_le_bytes(*b"Genu"), u32::from_le_bytes(*b"ineI"), u32::from_le_bytes(*b"ntel")];
    ensure!(amd || intel, "vendor {b:#x} {c:#x} {d:#x}");
    features()?;
    extended()?;
    hypervisor()
}

fn features() -> Outcome {
    let [_, _, c, d] = cpuid(1, 0);
    for (bit, name) in [(5, "vmx"), (3, "monitor")] {
        ensure!(c & 1 << bit == 0, "{name} is offered");
    }
    for (bit, name) in [(21, "x2apic"), (24, "tsc-deadline"), (31, "hypervisor")] {
        ensure!(c & 1 << bit != 0, "{name} is not offered");
    }
    for (bit, name) in [
        (0, "fpu"),
        (4, "tsc"),
        (5, "msr"),
        (6, "pae"),
        (8, "cx8"),
        (9, "apic"),
        (13, "pge"),
        (25, "sse"),
        (26, "sse2"),
    ] {
        ensure!(d & 1 << bit != 0, "{name} is not offered");
    }
    // OSXSAVE mirrors CR4, which is clear here; XSAVE may be offered.
    ensure!(c & 1 << 27 == 0, "osxsave without CR4.OSXSAVE");
    Ok(())
}

fn extended() -> Outcome {
    ensure!(cpuid(0x8000_0000, 0)[0] >= 0x8000_0008, "no extended leaves");
    let [_, _, c, d] = cpuid(0x8000_0001, 0);
    ensure!(c & 1 << 2 == 0, "svm is offered");
    ensure!(d & 1 << 29 != 0 && d & 1 << 20 != 0, "no long mode or no NX");
    let widths = cpuid(0x8000_0008, 0)[0];
    ensure!((36..=52).contains(&(widths & 0xff)), "{} physical address bits", widths & 0xff);
    ensure!(cpuid(0x8000_000a, 0) == [0; 4], "the leaf of SVM is not empty");
    Ok(())
}

fn hypervisor() -> Outcome {
    let Some(features) = clock::kvm_features() else {
        crate::fail!("no KVM leaves at {CPUID_KVM:#x}");
    };
    ensure!(features & 1 << 3 != 0, "no paravirtual clock");
    let [highest, b, c, d] = cpuid(CPUID_OWN, 0);
    ensure!(highest >= CPUID_OWN, "highest own leaf {highest:#x}");
    for (word, expected) in [b, c, d].into_iter().zip(CPUID_OWN_SIGNATURE.chunks(4)) {
        ensure!(word.to_le_bytes() == expected, "own signature {b:#x} {c:#x} {d:#x}");
    }
    Ok(())
}
