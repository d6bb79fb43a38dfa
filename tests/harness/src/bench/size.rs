//! The hypervisor's size.

use super::samples::Samples;
use crate::{
    build::{Built, HYPERVISOR},
    command,
};
use anyhow::{Context, Result};
use std::process::Command;

/// Adds the size of code and constants, in KiB.
pub fn measure(built: &Built, samples: &mut Samples) -> Result<()> {
    let elf = built.bare_metal.get(HYPERVISOR).context("the hypervisor was not built")?;
    let table = command::output(Command::new("size").arg(elf))?;
    let text = table.lines().nth(1).and_then(|line| line.split_whitespace().next());
    let bytes: f64 = text.and_then(|text| text.parse().ok()).context("size(1) printed something unknown")?;
    samples.add("image_text", bytes / 1024.0);
    Ok(())
}
