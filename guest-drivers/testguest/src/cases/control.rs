//! Control registers that a guest may change keep their values; instructions that it may not use give
//! #UD or #GP, and the guest lives.

use crate::cpu::probe::{INVALID_OPCODE, PROTECTION, control, probe, write_cr0, write_cr4};
use crate::ensure;
use crate::report::Outcome;

pub fn run() -> Outcome {
    let (cr0, cr4) = control();
    // Write protection, task switched, cache disable.
    for value in [cr0 ^ 1 << 16, cr0 ^ 1 << 3, cr0 | 1 << 30, cr0] {
        ensure!(write_cr0(value).is_none(), "CR0 = {value:#x} faulted");
        ensure!(control().0 == value, "CR0 reads {:#x} after {value:#x}", control().0);
    }
    // Global pages, SSE.
    for value in [cr4 ^ 1 << 7, cr4 ^ 1 << 9, cr4] {
        ensure!(write_cr4(value).is_none(), "CR4 = {value:#x} faulted");
        ensure!(control().1 == value, "CR4 reads {:#x} after {value:#x}", control().1);
    }
    let faults = [
        ("vmrun", probe!("vmrun", in("rax") 0u64)),
        ("vmload", probe!("vmload", in("rax") 0u64)),
        ("stgi", probe!("stgi")),
        ("vmxoff", probe!("vmxoff")),
        ("monitor", probe!("monitor", in("rax") 0x20_0000u64, in("ecx") 0, in("edx") 0)),
        ("mwait", probe!("mwait", in("eax") 0, in("ecx") 0)),
    ];
    for (name, fault) in faults {
        ensure!(fault == Some(INVALID_OPCODE), "{name} gave {fault:?}");
    }
    // XCR0 without x87, which is not allowed; #UD where XSAVE is off.
    let fault = probe!("xsetbv", in("ecx") 0, in("eax") 0, in("edx") 0);
    ensure!(fault == Some(PROTECTION) || fault == Some(INVALID_OPCODE), "XCR0 = 0 gave {fault:?}");
    for (name, fault) in
        [("wbinvd", probe!("wbinvd")), ("pause", probe!("pause")), ("invlpg", probe!("invlpg [{}]", in(reg) 0u64))]
    {
        ensure!(fault.is_none(), "{name} gave {fault:?}");
    }
    Ok(())
}
