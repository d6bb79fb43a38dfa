//! Lines, as fast as the 16550 takes them. Options: `lines=` how many.

use crate::boot::command_line;
use crate::println;
use crate::report::Outcome;

pub fn run() -> Outcome {
    for line in 1..=command_line::number("lines", 100) {
        println!("line {line}");
    }
    Ok(())
}
