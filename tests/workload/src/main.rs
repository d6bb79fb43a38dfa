//! A program for guests: cycles through more memory than there is, verifies every page that it
//! reads, and tells its progress and its worst pause as lines of JSON.
//!
//! Depends on the standard library only. Invariant: a page that does not have what was written to
//! it ends the program with status 1 and a line that says which.
#![forbid(unsafe_code)]

mod arguments;
mod memory;
mod progress;

use arguments::Arguments;
use memory::Memory;
use progress::Progress;
use std::{process::ExitCode, time::Duration};

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("workload: {error}\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{{\"workload\":\"wrong\",\"what\":\"{error}\"}}");
            ExitCode::FAILURE
        }
    }
}

/// Fills the memory, then goes round it until the time is over.
fn run(arguments: &Arguments) -> Result<(), String> {
    let mut memory = Memory::new(arguments.mebibytes);
    let mut progress = Progress::start("fill");
    for page in 0..memory.pages() {
        progress.touch(|| memory.write(page, 0));
    }
    progress.end();
    let mut progress = Progress::start("cycle");
    let time = Duration::from_secs(arguments.seconds);
    for round in 1.. {
        for page in 0..memory.pages() {
            let is_written = memory.is_written(page, round, arguments.dirty);
            progress.touch(|| memory.visit(page, round, is_written))?;
            if progress.elapsed() >= time {
                progress.end();
                return Ok(());
            }
        }
    }
    Ok(())
}
