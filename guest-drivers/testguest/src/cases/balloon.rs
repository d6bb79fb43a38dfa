//! The balloon, through our driver: gives pages, takes them back, reports free ranges, hands in statistics,
//! and follows dom0's target for a while. Options: `pages=` (default 512), `follow=` milliseconds to
//! follow the target (default 0).

use crate::boot::command_line;
use crate::device::dma::{self, Machine};
use crate::report::Outcome;
use crate::{clock, ensure, fail, memory, println};
use abi::platform::VIRTIO_BALLOON;
use guest_balloon::{BATCH, Balloon, tag};
use virtio_drivers::transport::mmio::MmioTransport;

type Device = Balloon<Machine, MmioTransport<'static>>;

/// Frame numbers of usable pages from `first` on; as many as fit.
fn frames(first: u64, count: u64) -> heapless::Vec<u32, BATCH> {
    (first..first + count).take(BATCH).filter_map(memory::page).map(|address| (address / memory::PAGE) as u32).collect()
}

fn give(balloon: &mut Device, frames: &[u32]) -> virtio_drivers::Result<()> {
    // SAFETY: usable pages, to which nothing refers; this case reads them only after it took them back.
    unsafe { balloon.inflate(frames) }
}

/// `work` on all of `pages` pages, a batch at a time.
fn batches(pages: u64, mut work: impl FnMut(&[u32]) -> virtio_drivers::Result<()>) -> Outcome {
    for first in (0..pages).step_by(BATCH) {
        if let Err(error) = work(&frames(first, (pages - first).min(BATCH as u64))) {
            fail!("a batch at page {first}: {error:?}");
        }
    }
    Ok(())
}

pub fn run() -> Outcome {
    let Some(transport) = dma::transport(VIRTIO_BALLOON) else { fail!("no balloon") };
    let mut balloon = match Device::new(transport) {
        Ok(balloon) => balloon,
        Err(error) => fail!("the balloon refuses the driver: {error:?}"),
    };
    let pages = command_line::number("pages", 512).min(memory::pages() / 2);
    for page in 0..memory::pages().min(2 * pages) {
        memory::write(page, 7, page + 1);
    }
    batches(pages, |frames| give(&mut balloon, frames))?;
    batches(pages, |frames| balloon.deflate(frames))?;
    for page in 0..pages {
        let found = memory::read(page, 7);
        ensure!(found == 0 || found == page + 1, "page {page} holds {found:#x} after the balloon");
        memory::write(page, 7, page + 3);
        ensure!(memory::read(page, 7) == page + 3, "page {page} of the balloon does not keep a store");
    }
    for page in pages..memory::pages().min(2 * pages) {
        ensure!(memory::read(page, 7) == page + 1, "page {page}, never in the balloon, lost its content");
    }
    report(&mut balloon)?;
    statistics(&mut balloon)?;
    follow(&mut balloon)
}

/// Reports 2 MiB as free: each byte stays or becomes 0, and the memory goes on working.
fn report(balloon: &mut Device) -> Outcome {
    if !balloon.features().contains(guest_balloon::Features::PAGE_REPORTING) || memory::pages() < 512 {
        println!("free pages are not reported here");
        return Ok(());
    }
    let Some(start) = memory::page(0) else { fail!("no memory") };
    // SAFETY: the first 2 MiB of usable memory, which are contiguous; no other reference to them exists.
    let range = unsafe { core::slice::from_raw_parts_mut(start as *mut u8, 2 << 20) };
    range.fill(0x77);
    if let Err(error) = balloon.report_free(&mut [&mut *range]) {
        fail!("a report of free pages: {error:?}");
    }
    ensure!(range.iter().all(|byte| [0, 0x77].contains(byte)), "a reported page holds something else");
    range.fill(0x55);
    ensure!(range.iter().all(|byte| *byte == 0x55), "a reported page does not keep stores");
    Ok(())
}

fn statistics(balloon: &mut Device) -> Outcome {
    if !balloon.statistics_wanted() {
        println!("no statistics wanted");
        return Ok(());
    }
    let bytes = memory::pages() * memory::PAGE;
    match balloon.publish(&[(tag::FREE, bytes / 2), (tag::TOTAL, bytes), (tag::AVAILABLE, bytes / 2)]) {
        Ok(true) => Ok(()),
        Ok(false) => fail!("the statistics were not taken"),
        Err(error) => fail!("statistics: {error:?}"),
    }
}

/// Does what dom0 asks for; ends with the balloon empty.
fn follow(balloon: &mut Device) -> Outcome {
    let end = clock::nanoseconds() + command_line::number("follow", 0) * 1_000_000;
    let mut given = 0;
    while clock::nanoseconds() < end {
        let target = match balloon.target() {
            Ok(target) => u64::from(target).min(memory::pages() * 3 / 4),
            Err(error) => fail!("the target: {error:?}"),
        };
        let result = if target > given {
            let batch = frames(given, (target - given).min(BATCH as u64));
            given += batch.len() as u64;
            give(balloon, &batch)
        } else if target < given {
            let count = (given - target).min(BATCH as u64);
            given -= count;
            balloon.deflate(&frames(given, count))
        } else {
            clock::wait(1_000_000);
            Ok(())
        };
        if let Err(error) = result {
            fail!("following the target: {error:?}");
        }
    }
    println!("{given} pages in the balloon at the end");
    batches(given, |frames| balloon.deflate(frames))
}
