//! dom0's shell on a terminal of its own, which script(1) makes, with somebody who types.

use super::limited;
use crate::suites::{Context, Verdict};
use anyhow::{Context as _, Result};
use std::{
    fs,
    io::{Read, Write},
    process::{ChildStdin, ChildStdout, Stdio},
};

/// What is waited for, and what is typed then. Enter is a carriage return.
const DIALOGUE: [(&str, &str); 2] = [("dom0:/root# ", "echo hello-$((40+2))\r"), ("hello-42", "exit\r")];
/// Shows the terminal's settings before and after, on lines of their own.
const CALL: &str = "stty -g; ./scripts/run --timeout 180; status=$?; echo; stty -g; exit $status";

/// Starts the machine, types, and leaves the shell, which ends the machine.
pub fn check(context: &Context<'_>) -> Result<Verdict> {
    let mut user = limited("script")
        .args(["--quiet", "--return", "--command", CALL, "/dev/null"])
        .current_dir(&context.tree.root)
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(fs::File::create(context.folder.join("stderr"))?)
        .spawn()?;
    let (input, output) = user.stdin.take().zip(user.stdout.take()).context("no pipes")?;
    let (seen, said) = talk(input, output)?;
    let status = user.wait()?;
    fs::write(context.folder.join("stdout"), &seen)?;
    let mut wrong = complaints(&seen, said);
    if !status.success() {
        wrong.push(format!("{status} instead of success"));
    }
    Ok(if wrong.is_empty() { Verdict::Passed } else { Verdict::Failed(wrong) })
}

/// Types the dialogue, each part when its time has come. All that was shown, and how many parts were typed.
fn talk(mut input: ChildStdin, mut output: ChildStdout) -> Result<(String, usize)> {
    let (mut seen, mut said, mut buffer) = (String::new(), 0, [0; 4096]);
    while let count @ 1.. = output.read(&mut buffer)? {
        seen += &String::from_utf8_lossy(buffer.get(..count).unwrap_or_default());
        if let Some((wait, line)) = DIALOGUE.get(said)
            && seen.contains(wait)
        {
            // Nobody may be there any more: what is missing is seen in the end.
            let _ = input.write_all(line.as_bytes());
            said += 1;
        }
    }
    Ok((seen, said))
}

fn complaints(seen: &str, said: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some((missing, _)) = DIALOGUE.get(said) {
        wrong.push(format!("{missing:?} was never shown"));
    }
    let mut lines = seen.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let settings = (lines.next(), lines.next_back());
    if settings.0.is_none() || settings.0 != settings.1 {
        wrong.push(format!("the terminal's settings were {:?} and became {:?}", settings.0, settings.1));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_settings_must_be_right() {
        assert!(complaints("500:5\r\ndom0:/root# echo\r\nhello-42\r\n500:5\r\n", 2).is_empty());
        assert_eq!(complaints("500:5\r\ndom0:/root# echo\r\n500:5\r\n", 1).len(), 1);
        assert_eq!(complaints("500:5\r\nhello-42\r\n0:5\r\n", 2).len(), 1);
        assert_eq!(complaints("500:5\r\n", 0).len(), 2);
    }
}
