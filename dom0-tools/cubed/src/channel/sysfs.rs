//! Small files that the kernel shows: one value a file.

use super::AttachError;
use std::path::Path;

/// The trimmed text of a file.
///
/// # Errors
/// [`AttachError::File`].
pub fn read(path: &Path) -> Result<String, AttachError> {
    let text = std::fs::read_to_string(path).map_err(AttachError::file("reading", path))?;
    Ok(text.trim().to_owned())
}

/// Writes one value.
///
/// # Errors
/// [`AttachError::File`].
pub fn write(path: &Path, value: &str) -> Result<(), AttachError> {
    std::fs::write(path, value).map_err(AttachError::file("writing", path))
}

/// A number, decimal or with `0x`; `None` if the file is missing or holds something else.
#[must_use]
pub fn number(path: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    let text = text.trim();
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}
