//! Runs: adjacent accesses become one.

use crate::{BLOCK, BLOCK_LEN, Extent, Piece, Source};

/// Writes in the making.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    pub(crate) list: Vec<(Extent, Vec<Piece>)>,
}

impl Writes {
    /// Appends bytes to be written at `to`, which does not cross a block boundary. They join the last
    /// run unless that gets longer than `max`; a block is never split between two runs.
    pub(crate) fn push(&mut self, to: Extent, source: Source, max: u32) {
        let piece = Piece { len: to.len, source };
        match self.list.last_mut() {
            Some((run, pieces))
                if follows(run, &to)
                    && (!to.offset.is_multiple_of(BLOCK) || run.len.saturating_add(BLOCK_LEN) <= max) =>
            {
                run.len += to.len;
                match pieces.last_mut() {
                    Some(last) if continues(last, &source) => extend(last, to.len),
                    _ => pieces.push(piece),
                }
            }
            _ => self.list.push((to, vec![piece])),
        }
    }
}

/// Reads in the making: where from, and the first byte in the request.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    pub(crate) list: Vec<(Extent, u32)>,
}

impl Reads {
    /// Appends a read, joined to the last run if it goes on in both places.
    pub(crate) fn push(&mut self, from: Extent, at: u32, max: u32) {
        match self.list.last_mut() {
            Some((run, first))
                if follows(run, &from) && run.len.saturating_add(from.len) <= max && *first + run.len == at =>
            {
                run.len += from.len;
            }
            _ => self.list.push((from, at)),
        }
    }
}

fn follows(run: &Extent, next: &Extent) -> bool {
    run.medium == next.medium && run.end() == next.offset
}

fn continues(last: &Piece, next: &Source) -> bool {
    match (last.source, *next) {
        (Source::Zero, Source::Zero) => true,
        (Source::Request { request: a, at }, Source::Request { request: b, at: next }) => {
            a == b && at + last.len == next
        }
        (Source::Host(a), Source::Host(b)) => a.medium == b.medium && a.end() == b.offset,
        _ => false,
    }
}

fn extend(piece: &mut Piece, by: u32) {
    piece.len += by;
    if let Source::Host(extent) = &mut piece.source {
        extent.len += by;
    }
}
