//! Permission maps: which ports and MSRs exit (APM vol. 2, 15.10 and 15.11). Shared by all guests.

use crate::cpu::register::msr;
use crate::memory::direct;
use core::cell::UnsafeCell;

#[repr(C, align(4096))]
struct Map<const N: usize>(UnsafeCell<[u8; N]>);
// SAFETY: written once by `build` on the boot CPU before any guest runs; then only hardware reads.
unsafe impl<const N: usize> Sync for Map<N> {}

static GUEST_IO: Map<12288> = Map(UnsafeCell::new([0xff; 12288]));
static DOM0_IO: Map<12288> = Map(UnsafeCell::new([0; 12288]));
static MSR: Map<8192> = Map(UnsafeCell::new([0xff; 8192]));

/// MSRs that VMRUN, VMLOAD and VMSAVE swap: guests use them directly.
const DIRECT: [u32; 10] = [
    msr::FS_BASE,
    msr::GS_BASE,
    msr::KERNEL_GS_BASE,
    msr::STAR,
    msr::LSTAR,
    msr::CSTAR,
    msr::SFMASK,
    msr::SYSENTER_CS,
    msr::SYSENTER_ESP,
    msr::SYSENTER_EIP,
];

/// Fills the maps. Once, on the boot CPU.
pub fn build() {
    // SAFETY: no guest and no other user yet.
    let (dom0, msrs) = unsafe { (&mut *DOM0_IO.0.get(), &mut *MSR.0.get()) };
    for port in crate::dom0::INTERCEPTED_PORTS.iter().cloned().flatten() {
        dom0[usize::from(port) / 8] |= 1 << (port % 8);
    }
    for register in DIRECT {
        let (base, number) = if register >= 0xc000_0000 { (0x800, register - 0xc000_0000) } else { (0, register) };
        let bit = number as usize * 2;
        msrs[base + bit / 8] &= !(3 << (bit % 8));
    }
}

/// Physical address of the map of ports.
pub fn io(dom0: bool) -> u64 {
    direct::physical(if dom0 { DOM0_IO.0.get().addr() } else { GUEST_IO.0.get().addr() })
}

/// Physical address of the map of MSRs.
pub fn msr() -> u64 {
    direct::physical(MSR.0.get().addr())
}
