//! What each physical CPU keeps for itself, found through the GS base.

use super::{MAX_CPUS, gdt::Tss, register};
use core::arch::asm;
use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// One CPU's own data. Other CPUs touch the atomics only.
#[repr(C, align(64))]
pub struct PerCpu {
    /// Address of this structure, for one-instruction access.
    this: Cell<*const PerCpu>,
    /// Number, 0 for the boot CPU.
    index: Cell<u32>,
    /// Identifier of the local APIC.
    pub apic_id: AtomicU32,
    /// Bits of the lock levels that are held.
    pub held: Cell<u32>,
    /// Set once the CPU can run guests.
    pub online: AtomicBool,
    /// True while a guest's translations may be in use: from before VM entry until after exit.
    /// A shoot-down waits for a change of `entries` while this is set.
    pub in_guest: AtomicBool,
    /// Counts VM entries.
    pub entries: AtomicU64,
    /// Another CPU wants this one to look at its queue.
    pub reschedule: AtomicBool,
    /// This CPU's task-state segment.
    pub tss: Cell<Tss>,
    /// Its global descriptor table.
    pub gdt: Cell<[u64; 8]>,
}

// SAFETY: `Cell`s are touched by their own CPU only (found through GS) or before it runs.
unsafe impl Sync for PerCpu {}

// SAFETY: the linker script puts the section with the rest of the data.
#[unsafe(link_section = ".data.exit")]
static CPUS: [PerCpu; MAX_CPUS as usize] = [const {
    PerCpu {
        this: Cell::new(core::ptr::null()),
        index: Cell::new(0),
        apic_id: AtomicU32::new(0),
        held: Cell::new(0),
        online: AtomicBool::new(false),
        in_guest: AtomicBool::new(false),
        entries: AtomicU64::new(0),
        reschedule: AtomicBool::new(false),
        tss: Cell::new(Tss::new()),
        gdt: Cell::new([0; 8]),
    }
}; MAX_CPUS as usize];

static COUNT: AtomicU32 = AtomicU32::new(1);
static FIRST: AtomicU32 = AtomicU32::new(0);

/// How many CPUs have been started.
pub fn set_count(count: u32) {
    COUNT.store(count, Ordering::Relaxed);
}

/// CPUs in use, a sleeping boot CPU among them.
pub fn count() -> u32 {
    COUNT.load(Ordering::Relaxed)
}

/// The boot CPU will run no domain: the first that does is number 1.
pub fn leave_out_boot_cpu() {
    FIRST.store(1, Ordering::Relaxed);
}

/// The CPUs that run domains.
pub fn working() -> core::ops::Range<u32> {
    FIRST.load(Ordering::Relaxed)..count()
}

impl PerCpu {
    /// Claims the slot `index` for the calling CPU: sets its GS base. First thing on each CPU.
    pub fn install(index: u32) {
        let cpu = &CPUS[index as usize];
        cpu.this.set(cpu);
        cpu.index.set(index);
        // SAFETY: the GS base is used for per-CPU data only, and the slot lives for ever.
        unsafe { register::write_msr(register::msr::GS_BASE, core::ptr::from_ref(cpu).addr() as u64) };
    }

    /// This CPU's number.
    pub fn number(&self) -> u32 {
        self.index.get()
    }
}

/// The calling CPU's data.
pub fn this() -> &'static PerCpu {
    let pointer: *const PerCpu;
    // SAFETY: the GS base was set by `install` before anything else ran on this CPU, and the
    // first word there is the structure's own address.
    unsafe {
        asm!("mov {}, gs:[0]", out(reg) pointer, options(nostack, preserves_flags, readonly));
        &*pointer
    }
}

/// The calling CPU's number.
pub fn index() -> u32 {
    this().index.get()
}

/// Another CPU's data; `None` beyond the CPUs in use.
pub fn of(index: u32) -> Option<&'static PerCpu> {
    (index < count()).then(|| &CPUS[index as usize])
}
