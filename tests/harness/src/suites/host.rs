//! The crates' own tests, which run on the host: one case a package.

use super::{Case, Context, Verdict};
use crate::{command, setup, tree::Tree};
use anyhow::{Context as _, Result};
use serde::Deserialize;
use std::{
    fs,
    path::absolute,
    process::{Command, Stdio},
};

/// Names a bzImage to tests that read or boot one.
const KERNEL_VARIABLE: &str = "HYPERCUBE_TEST_KERNEL";
/// The packages with such tests. The others' tests need nothing that set-up brings.
const WITH_KERNEL: [&str; 1] = ["domain-builder"];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_default_members: Vec<String>,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
}

/// A case for each package that plain `cargo test` would test.
pub fn cases(tree: &Tree) -> Result<Vec<Case>> {
    let mut cargo = Command::new("cargo");
    cargo.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(&tree.root);
    let metadata: Metadata = serde_json::from_str(&command::output(&mut cargo)?).context("cargo metadata")?;
    let is_default = |package: &Package| metadata.workspace_default_members.contains(&package.id);
    Ok(metadata.packages.iter().filter(|package| is_default(package)).map(|package| case(&package.name)).collect())
}

fn case(package: &str) -> Case {
    let name = package.to_owned();
    Case {
        name: format!("host/{package}"),
        about: format!("unit, property and model tests of {package}"),
        tags: vec!["host".to_owned()],
        skip: None,
        machine: None,
        // One compiles, with all CPUs that cargo finds, while another's tests run: cargo sees to the order.
        cpus: 1,
        limit: 0,
        build: None,
        run: Box::new(move |context| {
            let mut cargo = Command::new("cargo");
            if WITH_KERNEL.contains(&name.as_str()) {
                // Absolute, because cargo runs a package's tests in its folder.
                cargo.env(KERNEL_VARIABLE, absolute(setup::run(context.tree)?.kernel.image)?);
            }
            logged(cargo.args(["test", "--quiet", "--package", &name]), context, "the tests failed")
        }),
    }
}

/// Runs a program with its output in the case's folder; its success is the verdict.
pub fn logged(program: &mut Command, context: &Context<'_>, failure: &str) -> Result<Verdict> {
    let log = fs::File::create(context.folder.join("output"))?;
    let status = program
        .current_dir(&context.tree.root)
        .env("CARGO_TERM_COLOR", "never")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .status()?;
    Ok(match status.success() {
        true => Verdict::Passed,
        false => Verdict::Failed(vec![format!("{failure} ({status})")]),
    })
}
