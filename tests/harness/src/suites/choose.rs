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
    let mut named = Vec::new();
    for name in &names {
        // Who names a suite means the suite, not every case that has the word in its name.
        let is_suite = cases.iter().any(|case| case.is_tagged(name));
        let is_meant = |case: &Case| if is_suite { case.is_tagged(name) } else { case.name.contains(*name) };
        let before = named.len();
        named.extend(cases.iter().filter(|case| is_meant(case)).map(|case| case.name.clone()));
        if named.len() == before {
            bail!("nothing is called '{name}'; --list shows the names");
        }
    }
    let chosen = |case: &Case| {
        (names.is_empty() || named.contains(&case.name))
            && (options.machine.is_empty() || case.machine.is_some_and(|machine| options.machine.contains(&machine)))
    };
    Ok(cases.into_iter().filter(chosen).collect())
}
