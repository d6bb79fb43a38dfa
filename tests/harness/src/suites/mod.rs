//! `test`: cases from several sources, chosen by name, run side by side where the machine has room.
//!
//! A source gives [`Case`]s; this module knows nothing of what they do. Invariant: the last line
//! counts every chosen case exactly once.

mod case;
mod choose;
mod host;
pub use host::logged;
mod report;
pub use report::STARTED_AGAIN;
mod schedule;

pub use case::{Case, Context, Runner, Verdict};
pub use choose::TestOptions;

use crate::{build, lint, run_itself, scenario, tree::Tree};
use anyhow::Result;
use std::{process::ExitCode, time::Instant};

/// Where scenario files are, in the checkout.
const SCENARIOS: &str = "tests/scenarios";

/// Runs what `options` choose.
pub fn run(tree: &Tree, options: &TestOptions) -> Result<ExitCode> {
    let start = Instant::now();
    let mut cases = lint::cases();
    cases.extend(host::cases(tree)?);
    cases.extend(run_itself::cases());
    cases.extend(scenario::load_all(&tree.root.join(SCENARIOS))?);
    let cases = choose::choose(cases, options)?;
    if options.list {
        report::list(&cases);
        return Ok(ExitCode::SUCCESS);
    }
    let bases =
        build::bases(tree, cases.iter().filter(|case| case.skip.is_none()).filter_map(|case| case.build.clone()))?;
    let results = schedule::run(tree, cases, &bases, options)?;
    Ok(report::summary(tree, &results, start.elapsed()))
}
