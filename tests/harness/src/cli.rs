//! The sub-commands.

use crate::{
    bench::{self, BenchOptions},
    build,
    demo::{self, DemoOptions},
    options::RunOptions,
    run, setup,
    suites::{self, TestOptions},
    tree::Tree,
};
use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Builds Hypercube, boots it in an emulator, and tests it.
#[derive(Parser)]
#[command(name = "harness")]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Install what is missing and fetch the kernel; later calls only look.
    Setup,
    /// Build the hypervisor, the test guests and dom0's tools, and print where they are.
    Build(build::Options),
    /// Make the bootable base image and print where it is.
    Image(build::Options),
    /// Boot to a dom0 shell, or run commands there.
    Run(Box<RunOptions>),
    /// Show double paging with and without Tesseract's reconciliation.
    Demo(DemoOptions),
    /// Measure, compare, and write JSON and pictures.
    Bench(BenchOptions),
    /// Run the test suites.
    Test(TestOptions),
}

/// Runs the chosen sub-command.
pub fn dispatch(cli: Cli) -> Result<ExitCode> {
    let tree = Tree::find()?;
    match cli.verb {
        Verb::Setup => setup::run(&tree).map(|_| ExitCode::SUCCESS),
        Verb::Build(options) => build::print(&tree, &options),
        Verb::Image(options) => {
            println!("{}", build::everything(&tree, &options)?.disk.display());
            Ok(ExitCode::SUCCESS)
        }
        Verb::Run(options) => run::run(&tree, &options),
        Verb::Demo(options) => demo::run(&tree, &options),
        Verb::Bench(options) => bench::run(&tree, &options),
        Verb::Test(options) => suites::run(&tree, &options),
    }
}
