//! Storms of first touches: all memory in four orders, by two processors at once if there are two.
//! Every page is zero at first and keeps what was written. Options: `mib=` how much memory, `cpus=1`.

use crate::boot::{command_line, secondary};
use crate::report::{Failure, Outcome};
use crate::{clock, ensure, memory, println};
use core::sync::atomic::{AtomicU64, Ordering};

static TURN: AtomicU64 = AtomicU64::new(0);
/// The first page with a wrong word, plus 1.
static WRONG: AtomicU64 = AtomicU64::new(0);

fn pages() -> u64 {
    memory::pages().min(command_line::number("mib", u64::MAX >> 20) << 8)
}

/// Page `turn` of `pages`, in order `order`: ascending, descending, two scatterings. `pages` is not
/// divisible by the factors, so that each order meets every page once.
fn page(order: u64, turn: u64, pages: u64) -> u64 {
    match order {
        0 => turn,
        1 => pages - 1 - turn,
        2 => turn * 509 % pages,
        _ => turn * 65_537 % pages,
    }
}

/// Pages of a quarter.
fn quarter() -> u64 {
    let mut pages = pages() / 4;
    while pages.is_multiple_of(509) || pages.is_multiple_of(65_537) {
        pages -= 1;
    }
    pages
}

fn pattern(page: u64, cpu: u64) -> u64 {
    (page << 8 | cpu | 0x80) ^ 0x5a5a_0000_0000_0000
}

/// Touches all pages as processor `cpu`: each quarter of memory in another order.
fn touch(cpu: u64) {
    let quarter = quarter();
    for order in 0..4 {
        for turn in 0..quarter {
            let page = order * quarter + page(order, turn, quarter);
            // Every other page is written before it is read.
            if page % 2 == cpu % 2 {
                memory::write(page, cpu, pattern(page, cpu));
            }
            let zero = memory::read(page, 100 + cpu) | memory::read(page, 510 - cpu);
            let own = memory::read(page, cpu);
            if zero != 0 || (page % 2 != cpu % 2 && own != 0) {
                let _ = WRONG.compare_exchange(0, page + 1, Ordering::SeqCst, Ordering::SeqCst);
            }
            memory::write(page, cpu, pattern(page, cpu));
        }
    }
    TURN.fetch_add(1, Ordering::SeqCst);
}

pub fn run() -> Outcome {
    let two = command_line::number("cpus", 2) > 1 && secondary::start(|| touch(1));
    let cpus = if two { 2 } else { 1 };
    println!("{} pages, {cpus} processors", pages());
    ensure!(pages() >= 16, "{} pages are too few", pages());
    let start = clock::nanoseconds();
    touch(0);
    while TURN.load(Ordering::SeqCst) < cpus {
        core::hint::spin_loop();
    }
    println!("{} ns a page", (clock::nanoseconds() - start) / pages());
    let wrong = WRONG.load(Ordering::SeqCst);
    ensure!(wrong == 0, "page {} was not zero when it was first touched", wrong - 1);
    for cpu in 0..cpus {
        for page in 0..quarter() * 4 {
            let found = memory::read(page, cpu);
            if found != pattern(page, cpu) {
                return Err(Failure::new(format_args!("page {page} holds {found:#x}, not {:#x}", pattern(page, cpu))));
            }
        }
    }
    Ok(())
}
