//! Calls that end by themselves: the commands' output and exit status, or why there is none.

use super::limited;
use crate::suites::{Context, Verdict};
use anyhow::Result;
use std::{
    fs,
    process::{Output, Stdio},
};

/// A call and what must come of it.
pub struct Call {
    /// Of the case.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    words: &'static [&'static str],
    status: i32,
    /// All of it.
    stdout: &'static str,
    /// One line of it: there may be others of builds and logs.
    stderr: &'static str,
}

/// A disk in the folder that calls are made in.
const DISK: &str = "disk.img";

/// All calls.
pub const CALLS: [Call; 3] = [
    Call {
        name: "exec",
        about: "output and exit status of commands in dom0 become run's; a disk beside the caller is found",
        words: &["--disk", DISK, "--exec", "echo out; echo err >&2; test -b /dev/disk0 && exit 7"],
        status: 7,
        stdout: "out\n",
        stderr: "err",
    },
    Call {
        name: "time-out",
        about: "when time runs out the exit status is 124",
        words: &["--timeout", "1", "--exec", "sleep 60"],
        status: 124,
        stdout: "",
        stderr: "error: time ran out after 1 s",
    },
    Call {
        name: "own-failure",
        about: "when there can be no machine the exit status is 125",
        words: &["--machine", "bochs", "--firmware", "uefi", "--exec", "true"],
        status: 125,
        stdout: "",
        stderr: "error: --firmware uefi is for QEMU only: Debian has no UEFI firmware for Bochs",
    },
];

/// Makes the call.
pub fn check(call: &Call, context: &Context<'_>) -> Result<Verdict> {
    fs::File::create(context.folder.join(DISK))?.set_len(1 << 20)?;
    let mut run = limited(context.tree.root.join("scripts/run"));
    let done = run.args(call.words).current_dir(&context.folder).stdin(Stdio::null()).output()?;
    fs::write(context.folder.join("stdout"), &done.stdout)?;
    fs::write(context.folder.join("stderr"), &done.stderr)?;
    let wrong = complaints(call, &done);
    Ok(if wrong.is_empty() { Verdict::Passed } else { Verdict::Failed(wrong) })
}

fn complaints(call: &Call, done: &Output) -> Vec<String> {
    let mut wrong = Vec::new();
    if done.status.code() != Some(call.status) {
        wrong.push(format!("{} instead of exit status {}", done.status, call.status));
    }
    let stdout = String::from_utf8_lossy(&done.stdout);
    if stdout != call.stdout {
        wrong.push(format!("stdout is {stdout:?} instead of {:?}", call.stdout));
    }
    if !String::from_utf8_lossy(&done.stderr).lines().any(|line| line == call.stderr) {
        wrong.push(format!("stderr has no line {:?}", call.stderr));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

    #[test]
    fn status_and_both_outputs_must_be_right() {
        let wrong = |code: i32, stdout: &str, stderr: &str| {
            let (stdout, stderr) = (stdout.as_bytes().to_vec(), stderr.as_bytes().to_vec());
            complaints(&CALLS[0], &Output { status: ExitStatus::from_raw(code << 8), stdout, stderr }).len()
        };
        assert_eq!(wrong(7, "out\n", "building\nerr\n"), 0);
        assert_eq!(wrong(0, "out\n", "err\n"), 1);
        assert_eq!(wrong(7, "out\nerr\n", ""), 2);
        assert_eq!(wrong(7, "out\n", "error"), 1);
    }
}
