//! A sparse memory image: byte ranges and where their content comes from.

use super::BuildError;
use crate::source::Source;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A range of guest-physical memory with content.
#[derive(Clone, Debug)]
pub(super) struct Extent {
    pub start: u64,
    pub end: u64,
    pub source: Arc<dyn Source>,
    pub offset: u64,
    pub what: &'static str,
}

/// Ranges by their first byte, never overlapping.
#[derive(Clone, Debug, Default)]
pub(super) struct Sparse(BTreeMap<u64, Extent>);

impl Sparse {
    /// Adds bytes of a source. `what` names them in errors. Nothing is added for `len` 0.
    pub fn add(
        &mut self,
        what: &'static str,
        start: u64,
        source: Arc<dyn Source>,
        offset: u64,
        len: u64,
    ) -> Result<(), BuildError> {
        if len == 0 {
            return Ok(());
        }
        let end = start.saturating_add(len);
        if let Some((_, other)) = self.0.range(..end).next_back()
            && other.end > start
        {
            return Err(BuildError::Overlap { one: other.what, other: what, at: start.max(other.start) });
        }
        self.0.insert(start, Extent { start, end, source, offset, what });
        Ok(())
    }

    /// Adds bytes.
    pub fn add_bytes(&mut self, what: &'static str, start: u64, bytes: Vec<u8>) -> Result<(), BuildError> {
        let len = bytes.len() as u64;
        self.add(what, start, Arc::new(bytes), 0, len)
    }

    /// The extents that reach beyond `from`, ascending.
    pub fn after(&self, from: u64) -> impl Iterator<Item = &Extent> {
        let first = self.0.range(..=from).next_back().map_or(from, |(start, _)| *start);
        self.0.range(first..).map(|(_, extent)| extent).filter(move |extent| extent.end > from)
    }
}
