//! The boot CPU's way from the loader to dom0.

use super::facts::Facts;
use super::plan::{LARGE, MAPPED, PIECES, Plan};
use super::{Acpi, Information, Options, RegionKind, clock, smp};
use crate::cpu::{self, PerCpu, fpu, gdt, idt, lapic, panic, time};
use crate::dom0::{self, Staged};
use crate::log;
use crate::memory::ranges::Ranges;
use crate::memory::{direct, frame_test, frames, heap, kernel_map, pool, records};
use core::sync::atomic::{AtomicBool, Ordering};
use paging::Mfn;

const VERSION: &str = env!("CARGO_PKG_VERSION");

const TOO_SMALL: &str = "not enough memory beside dom0's";

static READY: AtomicBool = AtomicBool::new(false);

/// First Rust code, on the boot stack with the boot tables.
// SAFETY: no other symbol has this name; the assembly that calls it keeps to the C calling convention.
#[unsafe(no_mangle)]
extern "C" fn hypercube_main(magic: u32, information: u32) -> ! {
    PerCpu::install(0);
    gdt::load();
    idt::build();
    idt::load();
    time::start();
    if let Err(reason) = boot(magic, information.into()) {
        panic::refuse(reason);
    }
    READY.store(true, Ordering::SeqCst);
    if cpu::working().contains(&0) { crate::sched::run() } else { crate::sched::nudge() }
}

/// The other CPUs wait here until dom0 is built.
pub fn wait_for_dom0() {
    while !READY.load(Ordering::SeqCst) {
        core::hint::spin_loop();
    }
}

fn boot(magic: u32, information: u64) -> Result<(), &'static str> {
    let info = Information::read(magic, information)?;
    let options = Options::parse(&info.command_line);
    log::set_level(options.log_level);
    panic::REBOOT.store(options.reboot_on_panic, Ordering::Relaxed);
    log::info!("Hypercube {VERSION}; command line: {}", info.command_line);
    for role in info.strange_roles() {
        log::warn!("a module has the role \"{role}\", which is not kernel, initrd or overlay: ignored");
    }
    pages::self_test().map_err(|_| "the tables of frame and page states contradict themselves (a bug)")?;
    let vendor = crate::vcpu::probe()?;
    let acpi = Acpi::read(&info)?;

    let plan = Plan::make(&info, &options)?;
    let mut early = plan.pool.clone();
    let top = info.regions.iter().filter(|r| r.kind == RegionKind::Ram).map(|r| r.end).max().unwrap_or(0);
    let mut failed = false;
    kernel_map::extend_boot_map(top, || match early.highest(4096, 4 << 30) {
        Some(frame) if early.remove(frame, frame + 4096) => {
            direct::zero(frame, 4096);
            frame
        }
        _ => {
            failed = true;
            0
        }
    });
    let top = top.min(MAPPED);
    let (heap_size, records_size) = (heap::size(top), records::size(top));
    let heap_start = early.highest(heap_size, 4 << 30).filter(|_| !failed).ok_or(TOO_SMALL)?;
    if !early.remove(heap_start, heap_start + heap_size) {
        return Err(PIECES);
    }
    heap::init(heap_start, heap_size);
    pool::prepare(top);
    if !options.large_pages {
        pool::reserve_nothing();
    }
    let noted = early.highest(records_size, top).ok_or(TOO_SMALL)?;
    if !early.remove(noted, noted + records_size) {
        return Err(PIECES);
    }
    records::init(noted, top);
    if !emulate::decode::prepare() {
        return Err("the instruction decoder does not work (a bug)");
    }
    let staged = stage(&info, &mut early)?;
    plan.settle(&early)?;
    frame_test::run()?;
    let device = |address: u64| {
        !info.regions.iter().any(|r| r.start < address + LARGE && address < r.end && r.kind != RegionKind::Reserved)
    };
    let stacks = frames::allocate_block().ok_or("no memory for the stacks of CPUs")?.0 << 12;
    kernel_map::build(device, stacks)?;

    fpu::enable();
    let id = lapic::enable();
    cpu::this().apic_id.store(id, Ordering::Relaxed);
    time::calibrate(acpi.pm_timer)?;
    crate::domain::clock::set_wall(clock::read().saturating_sub(time::since_start_ns() / 1_000_000_000));
    crate::vcpu::enable()?;
    cpu::this().online.store(true, Ordering::SeqCst);
    smp::start(&acpi.cpus, options.max_cpus + u32::from(options.boot_cpu_idles), stacks);
    if options.boot_cpu_idles {
        leave_out_boot_cpu();
    }
    // dom0 would wait ten seconds for each that does not run for it.
    let works = |id| cpu::working().filter_map(cpu::of).any(|cpu| cpu.apic_id.load(Ordering::Relaxed) == id);
    acpi.madt.hide_cpus(works);
    crate::sched::set_slice(time::ns_to_ticks(u64::from(options.slice_ms) * 1_000_000));
    let (free, _) = frames::counts();
    super::facts::tell(Facts {
        ram: (plan.dom0.total() + plan.ours.total()) >> 12,
        dom0: plan.dom0.total() >> 12,
        command_line: info.command_line.clone(),
    });
    log::info!(
        "{vendor:?}, {} CPUs, TSC {} MHz, {} MiB for dom0, {} MiB free for domains, {} IO-APICs",
        cpu::working().len(),
        time::tsc_hz() / 1_000_000,
        plan.dom0.total() >> 20,
        free >> 8,
        acpi.io_apics.len()
    );
    if let Some(base) = acpi.mcfg {
        // dom0 reaches it directly: it is not where the service function is (CAVEATS.md).
        log::debug!("PCI configuration space in memory at {base:#x}");
    }
    dom0::io_apic::init(&acpi.io_apics);
    crate::service::pci::find_slot();
    dom0::build(&info, &options, plan.dom0, plan.ours, staged)?;
    let end = staged.initrd.0 + staged.initrd.1;
    frames::retire(Mfn(staged.kernel.0 >> 12), Mfn(end.next_multiple_of(4096) >> 12));
    Ok(())
}

/// `boot_cpu=idle`.
fn leave_out_boot_cpu() {
    if cpu::count() == 1 {
        log::warn!("boot_cpu=idle has no effect: there is no other CPU");
        return;
    }
    cpu::leave_out_boot_cpu();
}

/// Brings the modules out of the way of what dom0's kernel will be unpacked over.
fn stage(info: &Information, pool: &mut Ranges) -> Result<Staged, &'static str> {
    let kernel = info.module("kernel").ok_or("no module has the role \"kernel\" (see docs/command-line.md)")?;
    let parts = ["initrd", "overlay"]
        .map(|role| info.module(role).map_or((0, 0), |module| (module.start, module.end - module.start)));
    // Linux wants each archive to begin at a multiple of 4.
    let initrd_size = parts.iter().fold(0, |sum: u64, (_, size)| sum.next_multiple_of(4) + size);
    let kernel_size = kernel.end - kernel.start;
    let total = kernel_size.next_multiple_of(4096) + initrd_size;
    let at =
        pool.highest(total, 4 << 30).ok_or("not enough memory beside dom0's for the boot files; lower dom0_mem=")?;
    if !pool.remove(at, at + total.next_multiple_of(4096)) {
        return Err(PIECES);
    }
    direct::copy(kernel.start, at, kernel_size);
    let initrd = at + kernel_size.next_multiple_of(4096);
    direct::zero(initrd, initrd_size);
    let mut offset: u64 = 0;
    for (start, size) in parts {
        offset = offset.next_multiple_of(4);
        direct::copy(start, initrd + offset, size);
        offset += size;
    }
    Ok(Staged { kernel: (at, kernel_size), initrd: (initrd, initrd_size) })
}
