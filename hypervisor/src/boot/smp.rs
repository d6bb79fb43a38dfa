//! Starting the other CPUs: INIT, start-up, start-up (SDM vol. 3, 9.4).

use crate::cpu::{self, PerCpu, fpu, gdt, idt, lapic, time};
use crate::log;
use crate::memory::direct;
use crate::memory::kernel_map::{self, STACK, STACK_COUNT};
use core::sync::atomic::Ordering;

/// Page below 1 MiB that the others start in; dom0's afterwards, which has not begun yet.
const PAGE: u64 = 0x8000;
/// The highest local APIC identifier that device messages and our own commands can name.
const MOST_APIC_ID: u32 = 0xfe;

// SAFETY: defined in `entry`'s assembly; only their addresses are used.
unsafe extern "C" {
    static ap_start: u8;
    static ap_end: u8;
    static boot_pml4: u8;
    static ap_argument: u8;
}

/// Starts the CPUs with these local APIC identifiers, up to `most` with this one, one after the other, with their
/// stacks in the block at `stacks`. One that does not answer is left out.
pub fn start(cpus: &[u32], most: u32, mut stacks: u64) {
    let here = lapic::id();
    let code = (&raw const ap_start).addr();
    let len = (&raw const ap_end).addr() - code;
    direct::copy(code as u64, PAGE, len as u64);
    let mut number = 1;
    for &apic_id in cpus.iter().filter(|&&id| id != here) {
        if apic_id > MOST_APIC_ID {
            log::warn!("the CPU with APIC id {apic_id} stays off: its identifier has more than 8 bits");
            continue;
        }
        if number >= most.min(STACK_COUNT) {
            log::info!("the CPU with APIC id {apic_id} stays off: {number} are on, and no more may be (maxcpus=)");
            continue;
        }
        stacks += STACK;
        let argument = (&raw const ap_argument).addr() as u64;
        direct::atomic(argument).store((&raw const boot_pml4).addr() as u64, Ordering::SeqCst);
        direct::atomic(argument + 8).store(direct::BASE + stacks, Ordering::SeqCst);
        direct::atomic(argument + 16).store(number.into(), Ordering::SeqCst);
        cpu::set_count(number + 1);
        if let Some(other) = cpu::of(number) {
            other.apic_id.store(apic_id, Ordering::SeqCst);
            lapic::send_init(apic_id);
            time::spin_us(10_000);
            for _ in 0..2 {
                lapic::send_startup(apic_id, (PAGE >> 12) as u8);
                time::spin_us(200);
            }
            let deadline = time::since_start_ns() + 2_000_000_000;
            while !other.online.load(Ordering::SeqCst) && time::since_start_ns() < deadline {
                core::hint::spin_loop();
            }
            if other.online.load(Ordering::SeqCst) {
                number += 1;
            } else {
                log::warn!("the CPU with APIC id {apic_id} does not start; it is left out");
                lapic::send_init(apic_id);
            }
        }
    }
    cpu::set_count(number);
}

/// Entry of the other CPUs, on their stack, with the boot tables.
// SAFETY: no other symbol has this name; the assembly that calls it keeps to the C calling convention.
#[unsafe(no_mangle)]
extern "C" fn ap_main(number: u32) -> ! {
    PerCpu::install(number);
    kernel_map::activate();
    gdt::load();
    idt::load();
    fpu::enable();
    lapic::enable();
    if let Err(reason) = crate::vcpu::enable() {
        log::error!("this CPU cannot run guests: {reason}");
        cpu::panic::halt();
    }
    cpu::this().online.store(true, Ordering::SeqCst);
    super::main::wait_for_dom0();
    crate::sched::run()
}
