//! Time from the TSC, whose frequency is measured against the ACPI power-management timer.

use super::{lapic, port};
use core::sync::atomic::{AtomicU64, Ordering};

/// TSC at the first look.
static START: AtomicU64 = AtomicU64::new(0);
/// Nanoseconds = TSC ticks * SCALE >> 32.
static SCALE: AtomicU64 = AtomicU64::new(0);
static TSC_HZ: AtomicU64 = AtomicU64::new(0);
/// Local APIC timer ticks = TSC ticks * RATIO >> 32.
static LAPIC_RATIO: AtomicU64 = AtomicU64::new(0);

/// Frequency of the ACPI timer (ACPI 6.5, 4.8.3.3).
const PM_TIMER_HZ: u64 = 3_579_545;

/// The time-stamp counter.
pub fn tsc() -> u64 {
    // SAFETY: RDTSC is always there in 64-bit mode.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Starts counting; times before calibration read as 0.
pub fn start() {
    START.store(tsc(), Ordering::Relaxed);
}

/// Measures TSC and local APIC timer over about 20 ms of the timer at I/O port `pm_timer`.
pub fn calibrate(pm_timer: u16) -> Result<(), &'static str> {
    const TICKS: u64 = PM_TIMER_HZ / 50;
    let timer = || u64::from(port::read32(pm_timer)) & 0xff_ffff;
    lapic::start_count(u32::MAX);
    let first = timer();
    let mut spins = 0u32;
    let mut start = timer();
    while start == first {
        start = timer();
        spins += 1;
        if spins > 1_000_000 {
            return Err("the ACPI power-management timer does not count");
        }
    }
    let tsc_start = tsc();
    let count_start = lapic::count();
    let elapsed = loop {
        let elapsed = timer().wrapping_sub(start) & 0xff_ffff;
        if elapsed >= TICKS {
            break elapsed;
        }
    };
    let ticks = tsc() - tsc_start;
    let counts = u64::from(count_start - lapic::count());
    lapic::start_count(0);
    let hz = ticks * PM_TIMER_HZ / elapsed;
    if hz < 1_000_000 || counts == 0 {
        return Err("the time-stamp counter or the local APIC timer does not count");
    }
    TSC_HZ.store(hz, Ordering::Relaxed);
    SCALE.store(((1_000_000_000u128 << 32) / u128::from(hz)) as u64, Ordering::Relaxed);
    LAPIC_RATIO.store(((u128::from(counts) << 32) / u128::from(ticks)) as u64, Ordering::Relaxed);
    Ok(())
}

/// TSC ticks a second; 0 before calibration.
pub fn tsc_hz() -> u64 {
    TSC_HZ.load(Ordering::Relaxed)
}

/// Nanoseconds that this many TSC ticks last.
pub fn ticks_to_ns(ticks: u64) -> u64 {
    ((u128::from(ticks) * u128::from(SCALE.load(Ordering::Relaxed))) >> 32) as u64
}

/// TSC ticks in this many nanoseconds.
pub fn ns_to_ticks(ns: u64) -> u64 {
    (u128::from(ns) * u128::from(tsc_hz()) / 1_000_000_000) as u64
}

/// Nanoseconds since the hypervisor started.
pub fn since_start_ns() -> u64 {
    ticks_to_ns(tsc().wrapping_sub(START.load(Ordering::Relaxed)))
}

/// Ticks of the local APIC timer in this many TSC ticks, at least 1.
pub fn ticks_to_lapic(ticks: u64) -> u32 {
    let count = (u128::from(ticks) * u128::from(LAPIC_RATIO.load(Ordering::Relaxed))) >> 32;
    u32::try_from(count).unwrap_or(u32::MAX).max(1)
}

/// Waits at least this long.
pub fn spin_us(micros: u64) {
    let end = tsc() + ns_to_ticks(micros * 1000);
    while tsc() < end {
        core::hint::spin_loop();
    }
}
