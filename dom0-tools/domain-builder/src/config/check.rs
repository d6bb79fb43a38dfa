//! The two ways to read a domain file.

use super::draft::Draft;
use super::files;
use super::report::Report;
use crate::Domain;
use protocol::Mistake;
use std::path::Path;
use toml::de::DeTable;

/// Longest domain file that is looked at, in bytes.
const MAX_FILE: usize = 1 << 20;

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
    let mut report = Report::new(text, file);
    if text.len() > MAX_FILE {
        report.add(None, "", "the file is larger than 1 MiB", "this is not a domain file");
        return Err(report.finish());
    }
    let (root, errors) = DeTable::parse_recoverable(text);
    report.broken = !errors.is_empty();
    for error in errors {
        report.add(
            error.span(),
            "",
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
