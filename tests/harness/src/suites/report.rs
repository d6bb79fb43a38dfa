//! What the user sees.

use super::{
    Case, Verdict,
    schedule::{Finished, folder_of},
};
use crate::{machine::last_lines, tree::Tree};
use std::{fs, process::ExitCode, time::Duration};

/// How much of a failed machine's logs is shown.
const LINES: usize = 12;
/// How much of what a failed machine's commands printed is shown again at the end.
const LINES_AGAIN: usize = 5;
/// A file in the folder of a case whose machine was started a second time.
pub const STARTED_AGAIN: &str = "started-again";
/// Logs that a case may have left.
const LOGS: [&str; 6] = ["output", "stdout", "stderr", "console.log", "hypervisor.log", "emulator.log"];

/// The cases, for `--list`.
pub fn list(cases: &[Case]) {
    for case in cases {
        println!("{:<44} {} [{}]", case.name, case.about, case.tags.join(" "));
    }
}

/// A case has ended.
pub fn progress(tree: &Tree, finished: Option<&Finished>, count: usize, total: usize) {
    let Some(finished) = finished else { return };
    let word = word(&finished.verdict);
    println!("[{count}/{total}] {word:<7} {:<44} {:>6.1} s", finished.name, finished.took.as_secs_f64());
    let Verdict::Failed(reasons) = &finished.verdict else {
        return;
    };
    explain(reasons);
    let folder = folder_of(tree, &finished.name);
    for log in LOGS {
        let lines = last_lines(&folder.join(log), LINES);
        if !lines.is_empty() {
            println!("    --- {log} ---\n    {}", lines.replace('\n', "\n    "));
        }
    }
    println!("    logs: {}", folder.display());
}

fn explain(reasons: &[String]) {
    for reason in reasons {
        println!("    {}", reason.replace('\n', "\n    "));
    }
}

/// The end: what did not pass and why, how long all took, and the counts alone on the last line.
///
/// The reasons come again: of a long log, often only the end is kept.
pub fn summary(tree: &Tree, results: &[Finished], took: Duration) -> ExitCode {
    let count = |wanted: &str| results.iter().filter(|result| word(&result.verdict) == wanted).count();
    println!();
    for result in results {
        let folder = folder_of(tree, &result.name);
        if let Ok(why) = fs::read_to_string(folder.join(STARTED_AGAIN)) {
            println!("again   {}: {why} in the machine's first start ({})", result.name, folder.display());
        }
        match &result.verdict {
            Verdict::Passed => {}
            Verdict::Failed(reasons) => {
                println!("FAILED  {} ({})", result.name, folder.display());
                explain(reasons);
                let lines = last_lines(&folder.join("stdout"), LINES_AGAIN);
                println!("    | {}", lines.replace('\n', "\n    | "));
            }
            Verdict::Skipped(reason) => println!("skipped {}: {reason}", result.name),
        }
    }
    println!("{} min {} s", took.as_secs() / 60, took.as_secs() % 60);
    let (passed, failed, skipped) = (count("passed"), count("FAILED"), count("skipped"));
    let more = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    println!("{passed} passed, {failed} failed{more}");
    if failed > 0 || passed == 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed(_) => "FAILED",
        Verdict::Skipped(_) => "skipped",
    }
}
