//! The KVM paravirtual clock (Linux, Documentation/virt/kvm/x86/msr.rst): time from the TSC by constants
//! in guest memory. The TSC runs at one rate on all CPUs, so they are written once.

use super::{Domain, MemoryFault};
use crate::cpu::time;
use core::sync::atomic::{AtomicU64, Ordering};
use zerocopy::{Immutable, IntoBytes};

/// Seconds since 1970 at the hypervisor's start, from the real-time clock.
static WALL_AT_START: AtomicU64 = AtomicU64::new(0);

#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct SystemTime {
    version: u32,
    pad0: u32,
    tsc_timestamp: u64,
    system_time: u64,
    multiplier: u32,
    shift: i8,
    flags: u8,
    pad: [u8; 2],
}

#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct WallClock {
    version: u32,
    seconds: u32,
    nanoseconds: u32,
}

/// Told at boot.
pub fn set_wall(seconds: u64) {
    WALL_AT_START.store(seconds, Ordering::Relaxed);
}

/// MSR SYSTEM_TIME was written; the page that must come in first is the error.
pub fn start(domain: &Domain, value: u64) -> Result<(), u64> {
    if value & 1 == 0 {
        return Ok(());
    }
    let (multiplier, shift) = scale(time::tsc_hz());
    let now = time::tsc();
    let record = SystemTime {
        version: 2,
        pad0: 0,
        tsc_timestamp: now,
        system_time: time::since_start_ns(),
        multiplier,
        shift,
        flags: 1,
        pad: [0; 2],
    };
    store(domain, value & !1, record.as_bytes())
}

/// MSR WALL_CLOCK was written; as [`start`].
pub fn wall(domain: &Domain, address: u64) -> Result<(), u64> {
    let seconds = WALL_AT_START.load(Ordering::Relaxed) as u32;
    let record = WallClock { version: 2, seconds, nanoseconds: 0 };
    store(domain, address, record.as_bytes())
}

/// Nanoseconds = (ticks << shift) * multiplier >> 32.
fn scale(hz: u64) -> (u32, i8) {
    let mut hz = hz.max(1);
    let mut shift = 0i8;
    while hz > 2_000_000_000 {
        hz >>= 1;
        shift -= 1;
    }
    while hz <= 1_000_000_000 {
        hz <<= 1;
        shift += 1;
    }
    (((1_000_000_000u128 << 32) / u128::from(hz)) as u32, shift)
}

/// A clock in no memory is the guest's own loss.
fn store(domain: &Domain, address: u64, bytes: &[u8]) -> Result<(), u64> {
    match domain.write(address, bytes) {
        Ok(()) => Ok(()),
        Err(MemoryFault::Absent(gfn)) => Err(gfn),
        Err(MemoryFault::Bad(address)) => {
            crate::log::warn_limited!("domain {}: its clock is at {address:#x}, where it has no memory", domain.id);
            Ok(())
        }
    }
}
