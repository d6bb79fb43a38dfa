//! One machine, one script, watched.

use super::lines::Lines;
use crate::{
    build::{self, Built},
    machine::{self, Console, Ended, RunFolder, Watch, last_lines},
    options::RunOptions,
    run::{Plan, build_options},
    tree::Tree,
};
use anyhow::{Result, bail};
use std::time::Duration;

/// Where experiments are made.
pub struct Lab<'a> {
    /// The project's tree.
    pub tree: &'a Tree,
    /// With the hypervisor.
    pub built: Built,
    bare: Built,
}

/// What an experiment needs.
pub struct Experiment<'a> {
    /// Words for `run`, without `--exec` and `--timeout`.
    pub words: &'a [&'a str],
    /// The script for dom0; its exit status must be 0.
    pub script: &'a str,
    /// When to give up.
    pub timeout: Duration,
}

impl<'a> Lab<'a> {
    /// Builds what experiments boot.
    pub fn open(tree: &'a Tree) -> Result<Self> {
        let built = build::everything(tree, &build::Options::default())?;
        let bare = build::everything(tree, &build::Options { no_hypervisor: true, ..Default::default() })?;
        Ok(Self { tree, built, bare })
    }

    /// Runs the script and gives the time from the emulator's start to the script's start.
    pub fn run(&self, experiment: &Experiment<'_>, watcher: &mut dyn FnMut(&str)) -> Result<Duration> {
        let timeout = experiment.timeout.as_secs().to_string();
        let script = format!("--exec={}", experiment.script);
        let words = [&["run"], experiment.words, &["--timeout", &timeout, &script]].concat();
        let options = RunOptions::from_words(&words)?;
        let built = if build_options(&options).no_hypervisor { &self.bare } else { &self.built };
        let folder = RunFolder::new(self.tree, false)?;
        let plan = Plan::new(&options, &built.disk, folder.path(), Console::File)?;
        let mut lines = Lines::new(watcher);
        let (outcome, again) =
            machine::start_and_drive(&plan.config, &mut lines, experiment.timeout, &Watch::default())?;
        if let Some(why) = again {
            eprintln!("{why} in the machine's first start (CAVEATS.md, \"Emulators\"): this is its second");
        }
        match (&outcome.ended, outcome.status, outcome.ready_after) {
            (Ended::PoweredOff, Some(0), Some(ready)) => Ok(ready),
            (ended, status, _) => bail!(
                "the experiment failed: the machine {ended}, exit status {status:?}\n{}\n{}\n{}",
                String::from_utf8_lossy(&lines.errors),
                last_lines(&plan.config.console_log(), 10),
                last_lines(&plan.config.hypervisor_log, 10),
            ),
        }
    }
}
