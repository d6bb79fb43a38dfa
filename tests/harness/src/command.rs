//! Programs of the host, run to their end.

use anyhow::{Context, Result, bail};
use std::{
    io::stderr,
    process::{Command, Stdio},
};

/// Runs a program quietly; its output is shown when it fails.
pub fn run(command: &mut Command) -> Result<()> {
    output(command).map(|_| ())
}

/// Runs a program and gives its standard output.
pub fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let done = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {name}; is it installed?"))?;
    if !done.status.success() {
        bail!(
            "{name} failed ({}):\n{}{}\n(the command was {command:?})",
            done.status,
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr),
        );
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// Runs a program whose output the user sees, on standard error: ours belongs to the commands in dom0.
pub fn visibly(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.stdout(stderr()).status().with_context(|| format!("cannot run {name}; is it installed?"))?;
    if !status.success() {
        bail!("{name} failed ({status})");
    }
    Ok(())
}
