//! `demo`: double paging, with and without Tesseract's reconciliation.
//!
//! One stock Linux guest cycles through more memory than it has, and may keep less of it resident
//! than it thinks: the guest pages out what the hypervisor has already paged out. The same guest
//! runs twice on the same modelled disk, with reconciliation off and on.

mod record;
mod report;
mod script;

use crate::{
    disk_model::{Counts, Model},
    lab::{Experiment, Lab, partitioned},
    machine::RunFolder,
    tree::{self, Tree},
};
use anyhow::{Context, Result};
use clap::Args;
use record::Record;
use std::{path::PathBuf, process::ExitCode, time::Duration};

/// Options of `demo`.
#[derive(Args, Clone, Debug)]
pub struct DemoOptions {
    /// Seconds that the guest's program runs, each time
    #[arg(long, value_name = "S", default_value_t = 40)]
    pub seconds: u64,
    /// A modelled spinning disk instead of a solid-state one
    #[arg(long)]
    pub spinning: bool,
    /// Where to leave numbers and picture [default: build/demo]
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// A run's record and what its disk did.
struct Run {
    name: &'static str,
    record: Record,
    disk: Counts,
}

/// Runs both and reports.
pub fn run(tree: &Tree, options: &DemoOptions) -> Result<ExitCode> {
    let lab = Lab::open(tree)?;
    let model = if options.spinning { Model::DISK } else { Model::SSD };
    println!("{}", script::describe());
    println!("{}", model.describe());
    let runs =
        [("off", false), ("on", true)].map(|(name, reconcile)| one(&lab, name, reconcile, model, options.seconds));
    let [off, on] = runs;
    let folder = options.output.as_deref().map_or_else(|| tree.folder("demo"), tree::create)?;
    report::show(&folder, model, &[off?, on?])
}

fn one(lab: &Lab<'_>, name: &'static str, reconcile: bool, model: Model, seconds: u64) -> Result<Run> {
    println!("\nreconciliation {name}: booting");
    let folder = RunFolder::new(lab.tree, false)?;
    let disk = partitioned(folder.path(), script::STORE, script::GUEST_DISK, model)?;
    let place = disk.server.disk();
    let share = lab.tree.root.join("tests/scenarios/library");
    let dom0 = format!("--dom0-args=hypercube.store={}", disk.store);
    let words = ["--smp=2", "--disk", &place, "--share", &share.to_string_lossy(), &dom0];
    let script = script::for_dom0(disk.guest, reconcile, seconds);
    let mut record = Record::default();
    let timeout = Duration::from_secs(240 + 3 * seconds);
    lab.run(&Experiment { words: &words, script: &script, timeout }, &mut |line| {
        if let Some(progress) = record.take(line) {
            println!("  {name:<3} {progress}");
        }
    })
    .with_context(|| format!("with reconciliation {name}"))?;
    record.check().with_context(|| format!("with reconciliation {name}"))?;
    Ok(Run { name, record, disk: disk.server.counts() })
}
