//! Which cases are meant.

use super::Case;
use crate::options::Kind;
use anyhow::{Result, bail};
use clap::Args;

/// Options of `test`.
#[derive(Args, Clone, Debug)]
pub struct TestOptions {
    /// Suites (tags) or parts of names; all by default
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// The same, as an option
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pub filter: Vec<String>,
    /// Only cases on these emulators
    #[arg(long, value_enum)]
    pub machine: Vec<Kind>,
    /// Show the cases instead of running them
    #[arg(long)]
    pub list: bool,
    /// How many of the host's CPUs to use [default: all]
    #[arg(long, value_name = "N")]
    pub jobs: Option<u32>,
}

/// The chosen cases; a name that chooses nothing is an error.
pub fn choose(cases: Vec<Case>, options: &TestOptions) -> Result<Vec<Case>> {
    let names: Vec<_> = options.names.iter().chain(&options.filter).collect();
    for name in &names {
        if !cases.iter().any(|case| is_named(case, name)) {
            bail!("nothing is called '{name}'; --list shows the names");
        }
    }
    let chosen = |case: &Case| {
        (names.is_empty() || names.iter().any(|name| is_named(case, name)))
            && (options.machine.is_empty() || case.machine.is_some_and(|machine| options.machine.contains(&machine)))
    };
    Ok(cases.into_iter().filter(chosen).collect())
}

fn is_named(case: &Case, name: &str) -> bool {
    case.name.contains(name) || case.tags.iter().any(|tag| tag == name)
}
