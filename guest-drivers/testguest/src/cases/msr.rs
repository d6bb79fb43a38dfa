//! Model-specific registers: those that a guest needs work; all others give #GP, and the guest lives.

use crate::cpu::probe::{PROTECTION, read_msr, write_msr};
use crate::cpu::{cpuid, tsc};
use crate::ensure;
use crate::report::Outcome;

const APIC_BASE: u32 = 0x1b;
const EFER: u32 = 0xc000_0080;

pub fn run() -> Outcome {
    present()?;
    absent()?;
    base()?;
    efer()
}

fn present() -> Outcome {
    // TSC; SYSENTER; PAT; STAR, LSTAR, CSTAR, FMASK; FS, GS and kernel GS base; KVM clock.
    for register in [
        0x10,
        0x174,
        0x175,
        0x176,
        0x277,
        0xc000_0081,
        0xc000_0082,
        0xc000_0083,
        0xc000_0084,
        0xc000_0100,
        0xc000_0101,
        0xc000_0102,
        0x4b56_4d01,
    ] {
        let value = read_msr(register);
        ensure!(value.is_ok(), "reading {register:#x} gave exception {:?}", value.err());
    }
    for register in [0x175, 0x176, 0xc000_0082, 0xc000_0102] {
        let old = read_msr(register).unwrap_or(0);
        let value = 0x1234_5678_9000 + u64::from(register & 15);
        ensure!(write_msr(register, value) == Ok(()), "writing {register:#x} faulted");
        ensure!(read_msr(register) == Ok(value), "{register:#x} does not keep its value");
        ensure!(write_msr(register, old) == Ok(()), "writing {register:#x} back faulted");
    }
    let before = tsc();
    let middle = read_msr(0x10).unwrap_or(0);
    ensure!(before <= middle && middle <= tsc(), "the TSC's register and RDTSC disagree");
    Ok(())
}

fn absent() -> Outcome {
    // VM_CR, VM_HSAVE_PA, IA32_VMX_BASIC, SMM base, performance events, energy, and numbers that nobody uses.
    for register in
        [0xc001_0114, 0xc001_0117, 0x480, 0x9e, 0x186, 0x611, 0x0bad_cafe, 0xc001_ffff, 0xffff_ffff, 0x4b56_4dff]
    {
        let read = read_msr(register);
        ensure!(read == Err(PROTECTION), "reading {register:#x} gave {read:?}");
        let written = write_msr(register, 0);
        ensure!(written == Err(PROTECTION), "writing {register:#x} gave {written:?}");
    }
    Ok(())
}

fn base() -> Outcome {
    let base = read_msr(APIC_BASE).unwrap_or(0);
    ensure!(base & 3 << 10 == 3 << 10, "x2APIC is not on: base {base:#x}");
    ensure!(base & 1 << 8 != 0, "this is not the boot processor: base {base:#x}");
    let id = read_msr(0x802);
    ensure!(id == Ok(u64::from(cpuid(1, 0)[1] >> 24)), "APIC identifier {id:?}");
    // Back to xAPIC without passing through off is not allowed (SDM volume 3, section 11.12.5).
    ensure!(write_msr(APIC_BASE, base & !(1 << 10)) == Err(PROTECTION), "x2APIC could be left");
    // Read-only, write-only and reserved registers.
    ensure!(write_msr(0x802, 1) == Err(PROTECTION), "the APIC identifier could be written");
    ensure!(read_msr(0x80b) == Err(PROTECTION), "EOI could be read");
    ensure!(read_msr(0x83f) == Err(PROTECTION), "the self-IPI register could be read");
    ensure!(read_msr(0x831) == Err(PROTECTION), "a reserved APIC register could be read");
    ensure!(write_msr(0x80b, 1) == Err(PROTECTION), "EOI took another value than 0");
    Ok(())
}

fn efer() -> Outcome {
    let value = read_msr(EFER).unwrap_or(0);
    ensure!(value & 0xd00 == 0xd00, "EFER is {value:#x} in long mode with NX");
    ensure!(write_msr(EFER, value & !(1 << 8)) == Err(PROTECTION), "long mode could be left under paging");
    ensure!(write_msr(EFER, value | 1 << 12) == Err(PROTECTION), "SVM could be switched on");
    ensure!(write_msr(EFER, value | 1 << 63) == Err(PROTECTION), "a reserved bit of EFER could be set");
    ensure!(write_msr(EFER, value | 1) == Ok(()), "SYSCALL could not be switched on");
    ensure!(read_msr(EFER) == Ok(value | 1), "EFER does not keep its value");
    Ok(())
}
