//! Time: the KVM paravirtual clock where there is one, else the time-stamp counter.

use crate::boot::command_line;
use crate::cpu::{cpuid, tsc, write_msr};
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};

/// MSR_KVM_SYSTEM_TIME_NEW.
pub const SYSTEM_TIME: u32 = 0x4b56_4d01;

/// `pvclock_vcpu_time_info` (Linux Documentation/virt/kvm/x86/msr.rst).
#[derive(Clone, Copy)]
#[repr(C, align(32))]
pub struct TimeInfo {
    /// Odd while it is being written.
    pub version: u32,
    reserved: u32,
    /// Counter when it was written.
    pub tsc: u64,
    /// Nanoseconds when it was written.
    pub system_time: u64,
    /// Nanoseconds per (shifted) tick, times 2^32.
    pub multiplier: u32,
    /// Shift of the ticks before the multiplication.
    pub shift: i8,
    /// Bit 0: the counters of all processors agree.
    pub flags: u8,
    reserved2: [u8; 2],
}

struct Page(core::cell::UnsafeCell<TimeInfo>);
// SAFETY: only read volatile, under the version protocol; the hypervisor writes it.
unsafe impl Sync for Page {}

static INFO: Page = Page(core::cell::UnsafeCell::new(TimeInfo {
    version: 0,
    reserved: 0,
    tsc: 0,
    system_time: 0,
    multiplier: 0,
    shift: 0,
    flags: 0,
    reserved2: [0; 2],
}));
static PARAVIRTUAL: AtomicBool = AtomicBool::new(false);
static HERTZ: AtomicU64 = AtomicU64::new(0);

/// Leaf of KVM's features if the KVM signature is there.
pub fn kvm_features() -> Option<u32> {
    let [highest, b, c, d] = cpuid(abi::platform::CPUID_KVM, 0);
    let is_kvm = (b, c, d) == (0x4b4d_564b, 0x564b_4d56, 0x4d);
    (cpuid(1, 0)[2] >> 31 != 0 && is_kvm && highest > abi::platform::CPUID_KVM)
        .then(|| cpuid(abi::platform::CPUID_KVM + 1, 0)[0])
}

/// Sets the clock up on processor 0.
pub fn prepare() {
    HERTZ.store(command_line::number("tsc", 2_500_000_000).max(1), Ordering::Relaxed);
    if kvm_features().is_some_and(|features| features & 1 << 3 != 0) {
        write_msr(SYSTEM_TIME, INFO.0.get() as u64 | 1);
        let info = info();
        if info.multiplier != 0 {
            PARAVIRTUAL.store(true, Ordering::Relaxed);
            let shifted =
                if info.shift < 0 { 1_000_000_000u128 << -info.shift } else { 1_000_000_000u128 >> info.shift };
            HERTZ.store(((shifted << 32) / u128::from(info.multiplier)) as u64, Ordering::Relaxed);
        }
    }
}

/// Whether [`nanoseconds`] is the paravirtual clock's time.
pub fn is_paravirtual() -> bool {
    PARAVIRTUAL.load(Ordering::Relaxed)
}

/// Ticks of the counter a second.
pub fn hertz() -> u64 {
    HERTZ.load(Ordering::Relaxed)
}

/// A consistent copy of what the hypervisor last wrote.
pub fn info() -> TimeInfo {
    loop {
        // SAFETY: a static that the hypervisor writes; torn copies are recognised by the version.
        let info = unsafe { ptr::read_volatile(INFO.0.get()) };
        fence(Ordering::SeqCst);
        // SAFETY: as above.
        let again = unsafe { ptr::read_volatile(&raw const (*INFO.0.get()).version) };
        if info.version & 1 == 0 && info.version == again {
            return info;
        }
    }
}

/// Nanoseconds since an arbitrary start.
pub fn nanoseconds() -> u64 {
    if !is_paravirtual() {
        return (u128::from(tsc()) * 1_000_000_000 / u128::from(hertz())) as u64;
    }
    let info = info();
    let ticks = u128::from(tsc().wrapping_sub(info.tsc));
    let shifted = if info.shift < 0 { ticks >> -info.shift } else { ticks << info.shift };
    info.system_time.wrapping_add(((shifted * u128::from(info.multiplier)) >> 32) as u64)
}

/// Waits, spinning.
pub fn wait(nanoseconds: u64) {
    wait_until(nanoseconds, || false);
}

/// Spins until `condition` holds; false if it does not within `limit` nanoseconds.
pub fn wait_until(limit: u64, condition: impl Fn() -> bool) -> bool {
    let start = nanoseconds();
    loop {
        if condition() {
            return true;
        }
        if nanoseconds().wrapping_sub(start) >= limit {
            return false;
        }
        core::hint::spin_loop();
    }
}
