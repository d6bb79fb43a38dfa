//! Pages to bytes, padded arrays to text.

pub(super) const fn bytes(pages: u64) -> u64 {
    pages.saturating_mul(abi::PAGE_SIZE)
}

/// Zero-padded UTF-8 as text; bytes that are none are replaced.
#[must_use]
pub fn text(padded: &[u8]) -> String {
    let end = padded.iter().position(|&b| b == 0).unwrap_or(padded.len());
    String::from_utf8_lossy(padded.get(..end).unwrap_or_default()).into_owned()
}
