//! `bench`: what things cost, beside the same things without a hypervisor and under KVM, on the same
//! emulated machine.
//!
//! Each round boots ours and the peer in turn, so that what else the host does falls on both. The
//! figures are medians over the rounds.

mod kvm;
mod measurement;
mod ours;
mod report;
mod samples;
mod size;

use crate::{lab::Lab, machine::RunFolder, tree::Tree};
use anyhow::Result;
use clap::Args;
use samples::Samples;
use std::{path::PathBuf, process::ExitCode};

/// Options of `bench`.
#[derive(Args, Clone, Debug)]
pub struct BenchOptions {
    /// How often each machine is booted
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Where results are written [default: build/bench]
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Leave KVM out, and the bounds that depend on it
    #[arg(long)]
    pub no_kvm: bool,
}

/// Measures and reports.
pub fn run(tree: &Tree, options: &BenchOptions) -> Result<ExitCode> {
    let lab = Lab::open(tree)?;
    let folder = RunFolder::new(tree, false)?;
    let (mut ours, mut peer) = (Samples::default(), Samples::default());
    size::measure(&lab.built, &mut ours)?;
    let kvm = (!options.no_kvm).then(|| kvm::prepare(&lab, folder.path())).transpose()?;
    for round in 1..=options.rounds {
        println!("round {round} of {}: Hypercube", options.rounds);
        ours::measure(&lab, folder.path(), &mut ours)?;
        println!(
            "round {round} of {}: the same kernel without a hypervisor{}",
            options.rounds,
            if kvm.is_some() { ", and KVM" } else { "" }
        );
        kvm::measure(&lab, kvm.as_deref(), &mut peer)?;
    }
    let output = match &options.output {
        Some(output) => crate::tree::create(output)?,
        None => tree.folder("bench")?,
    };
    report::show(&output, &measurement::all(&ours, &peer, !options.no_kvm), &ours, &peer)
}
