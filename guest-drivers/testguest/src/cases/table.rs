//! Names of cases.

use crate::boot::command_line;
use crate::report::{self, Failure, Outcome};

/// A case: a function that returns when it is done.
type Case = fn() -> Outcome;

/// A family of cases: a function of the rest of the name.
type Family = fn(&str) -> Outcome;

/// Families: names that begin so; the rest of the name is the function's argument.
const FAMILIES: &[(&str, Family)] = &[("crash-", super::crash::run), ("virtqueue-", super::virtqueue::run)];

const CASES: &[(&str, Case)] = &[
    ("alignment", super::ring3::run),
    ("balloon", super::balloon::run),
    ("benchmark-exits", super::benchmark::run),
    ("block", super::block::run),
    ("clock", super::clock::run),
    ("control", super::control::run),
    ("cpuid", super::cpuid::run),
    ("debug", super::debug::run),
    ("entropy", super::entropy::run),
    ("faults", super::faults::run),
    ("fresh", super::fresh::run),
    ("halt", super::halt::run),
    ("interrupts", super::interrupts::run),
    ("large-pages", super::large_pages::run),
    ("memory", super::memory::run),
    ("mmio", super::mmio::run),
    ("msr", super::msr::run),
    ("ports", super::ports::run),
    ("printed", super::printed::run),
    ("reconcile", super::reconcile::run),
    ("smp", super::smp::run),
    ("splitmerge", super::splitmerge::run),
    ("typed", super::interrupts::typed),
];

/// Runs the case that the command line names and ends the domain.
pub fn run() -> ! {
    let name = command_line::case();
    for (family, case) in FAMILIES {
        if let Some(rest) = name.strip_prefix(family) {
            report::end(case(rest));
        }
    }
    match CASES.iter().find(|(case, _)| *case == name) {
        Some((_, case)) => report::end(case()),
        None => report::end(Err(Failure::new(format_args!("there is no case of this name")))),
    }
}
