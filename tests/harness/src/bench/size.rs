//! The hypervisor's size.

use super::samples::Samples;
use crate::{
    build::{Built, HYPERVISOR},
    command,
};
use anyhow::{Context, Result, bail};
use std::process::Command;

/// Adds the size of code and constants, and with data and stacks, in KiB.
pub fn measure(built: &Built, samples: &mut Samples) -> Result<()> {
    let elf = built.bare_metal.get(HYPERVISOR).context("the hypervisor was not built")?;
    let table = command::output(Command::new("size").arg(elf))?;
    let columns = table.lines().nth(1).unwrap_or_default().split_whitespace().take(3);
    let sizes: Vec<f64> = columns.map_while(|column| column.parse().ok()).collect();
    let [text, data, bss] = sizes[..] else { bail!("size(1) printed something unknown: {table}") };
    samples.add("image_text", text / 1024.0);
    samples.add("image_memory", (text + data + bss) / 1024.0);
    Ok(())
}
