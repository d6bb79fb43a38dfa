//! Names of cases.

use crate::boot::command_line;
use crate::report::{self, Failure, Outcome};

/// A case: a function that returns when it is done.
type Case = fn() -> Outcome;

const CASES: &[(&str, Case)] = &[
    ("clock", super::clock::run),
    ("control", super::control::run),
    ("cpuid", super::cpuid::run),
    ("halt", super::halt::run),
    ("interrupts", super::interrupts::run),
    ("mmio", super::mmio::run),
    ("msr", super::msr::run),
    ("ports", super::ports::run),
    ("smp", super::smp::run),
];

/// Runs the case that the command line names and ends the domain.
pub fn run() -> ! {
    let name = command_line::case();
    match CASES.iter().find(|(case, _)| *case == name) {
        Some((_, case)) => report::end(case()),
        None => report::end(Err(Failure::new(format_args!("there is no case of this name")))),
    }
}
