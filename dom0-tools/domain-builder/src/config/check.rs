//! The text of a domain file, and the two ways to read it.

use super::draft::Draft;
use super::files;
use super::report::Report;
use crate::Domain;
use protocol::Mistake;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use toml::de::DeTable;

/// Longest domain file that is looked at, in bytes.
const MAX_FILE: usize = 1 << 20;
const TOO_LARGE: &str = "is larger than 1 MiB: no domain file is";
const EXAMPLE: &str = "give the path of a domain file; docs/domain-file.md has an example";

/// The text of a domain file.
///
/// # Errors
/// The file cannot be read, is larger than 1 MiB, or is not UTF-8.
pub fn text(file: &Path) -> Result<String, Vec<Mistake>> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|opened| opened.take(MAX_FILE as u64 + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        return Err(whole(file, format!("cannot be read: {error}")));
    }
    if bytes.len() > MAX_FILE {
        return Err(whole(file, TOO_LARGE));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let odd = error.as_bytes().get(at).copied().unwrap_or_default();
        let text = String::from_utf8_lossy(error.as_bytes());
        let mut report = Report::new(&text, file);
        report.broken_at(at, format!("the byte {odd:#04x} is not UTF-8"), "save the file as UTF-8");
        report.finish()
    })
}

/// Reads `text`, the content of `file`, and looks at the files that it names (relative to the
/// folder of `file`): kernel, initrd and disks must be there and fit. All mistakes are reported,
/// in the order of the text.
///
/// # Errors
/// At least one mistake.
pub fn check(text: &str, file: &Path) -> Result<Domain, Vec<Mistake>> {
    read(text, file, true)
}

/// As [`check`], but without looking at the files that it names.
///
/// # Errors
/// At least one mistake.
pub fn parse(text: &str, file: &Path) -> Result<Domain, Vec<Mistake>> {
    read(text, file, false)
}

fn read(text: &str, file: &Path, look: bool) -> Result<Domain, Vec<Mistake>> {
    if text.len() > MAX_FILE {
        return Err(whole(file, TOO_LARGE));
    }
    let mut report = Report::new(text, file);
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        report.broken_at(
            error.span().map_or(text.len(), |span| span.start),
            error.message().replace('\n', ", "),
            "correct the TOML here; see docs/domain-file.md for an example",
        );
    }
    let draft = Draft::read(&mut report, &root, file.parent().unwrap_or(Path::new("")));
    draft.compare(&mut report);
    if look {
        files::look(&mut report, &draft);
    }
    let mistakes = report.finish();
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    draft.domain().ok_or(mistakes)
}

/// A mistake of the file as a whole.
fn whole(file: &Path, message: impl Into<String>) -> Vec<Mistake> {
    let mut report = Report::new("", file);
    report.add(None, "", message, EXAMPLE);
    report.finish()
}
