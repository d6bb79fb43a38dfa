//! What is made of the same sources as before need not be made again.

use anyhow::{Context, Result};
use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

/// A text that changes whenever one of `files` is replaced by another or rewritten.
pub fn fingerprint(files: Vec<PathBuf>) -> Result<String> {
    let mut text = String::new();
    for file in files {
        let data = fs::metadata(&file).with_context(|| file.display().to_string())?;
        let time = data.modified()?.duration_since(UNIX_EPOCH)?.as_nanos();
        writeln!(text, "{} {time} {}", file.display(), data.len())?;
    }
    Ok(text)
}

/// Whether the text file `path` says exactly `text`.
pub fn says(path: &Path, text: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|found| found == text)
}
