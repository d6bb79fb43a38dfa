//! The paravirtual clock: it is there, does not go backwards, and agrees with the time-stamp counter.

use crate::cpu::{probe, tsc};
use crate::report::Outcome;
use crate::{clock, ensure, println};

pub fn run() -> Outcome {
    ensure!(clock::is_paravirtual(), "there is no paravirtual clock");
    let info = clock::info();
    ensure!(info.version > 0 && info.version.is_multiple_of(2), "version {} of the time information", info.version);
    ensure!(info.tsc <= tsc(), "the time information is from the future");
    let hertz = clock::hertz();
    println!("{hertz} ticks a second");
    ensure!((10_000_000..20_000_000_000).contains(&hertz), "{hertz} ticks a second");
    let (first_tsc, first) = (tsc(), clock::nanoseconds());
    let mut last = first;
    for _ in 0..200_000 {
        let now = clock::nanoseconds();
        ensure!(now >= last, "the clock went back by {} ns", last - now);
        last = now;
    }
    clock::wait(200_000_000);
    let (ticks, nanoseconds) = (tsc() - first_tsc, clock::nanoseconds() - first);
    let expected = (u128::from(ticks) * 1_000_000_000 / u128::from(hertz)) as u64;
    let off = expected.abs_diff(nanoseconds);
    ensure!(off < nanoseconds / 100 + 1_000_000, "{nanoseconds} ns by the clock, {expected} by the counter");
    wall()
}

/// The wall clock is written on request; a broken address must not hurt.
fn wall() -> Outcome {
    #[repr(C, align(16))]
    struct Wall([u32; 4]);
    let mut wall = Wall([0; 4]);
    let address = (&raw mut wall) as u64;
    ensure!(probe::write_msr(0x4b56_4d00, address) == Ok(()), "the wall clock's register faulted");
    // SAFETY: a local that the hypervisor wrote: version, seconds, nanoseconds.
    let [version, seconds, nanoseconds, _] = unsafe { core::ptr::read_volatile(&raw const wall.0) };
    ensure!(version % 2 == 0 && nanoseconds < 1_000_000_000, "wall clock {version} {seconds} {nanoseconds}");
    println!("started {seconds} s after 1970");
    // In the hole of the memory map: nothing to write to.
    let _ = probe::write_msr(0x4b56_4d00, 0xe000_0000);
    Ok(())
}
