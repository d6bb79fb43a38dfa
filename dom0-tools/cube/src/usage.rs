//! A command line that is not understood: clap's words, and with `--json` the object of every other error.

use crate::output::Output;
use clap::error::ErrorKind;
use protocol::{ErrorCode, Exit, Failure};
use std::ffi::OsString;

/// Tells what is wrong. Help and versions that were asked for are no errors, and are text in any case.
pub fn tell(error: &clap::Error, words: impl Iterator<Item = OsString>) -> Exit {
    if error.use_stderr() && words.take_while(|word| word != "--").any(|word| word == "--json") {
        return Output::new(true).fail(&failure(error));
    }
    // If nobody reads it, there is nobody to tell.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::Ok }
}

fn failure(error: &clap::Error) -> Failure {
    let hint = "`cube --help` shows the commands, `cube COMMAND --help` what one takes";
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Failure::new(ErrorCode::Usage, "a command is missing", hint);
    }
    // Paragraphs: what is wrong, a tip perhaps, how it is used.
    let text = error.to_string();
    let mut paragraphs = text.split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    let message = paragraphs.next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    let tip = paragraphs.find_map(|part| part.strip_prefix("tip: ").map(str::to_owned));
    Failure::new(ErrorCode::Usage, message, tip.unwrap_or_else(|| hint.to_owned()))
}
