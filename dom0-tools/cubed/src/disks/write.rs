//! Writes: pieces are gathered into one buffer, neighbours are written together.

use super::Job;
use super::batch::Tag;
use super::state::{Disks, Flight, Part};
use crate::channel::Hypervisor;
use crate::channel::hypervisor::command;
use abi::command::op;
use std::collections::HashSet;
use tesseract::{Action, ActionId, Extent, Op, Outcome, Piece, Source};

/// Longest write that neighbours are put together to, in bytes.
const LONGEST: u32 = 512 << 10;

/// Where the writing actions at the head of the queue go, as far as they are neighbours.
fn neighbours<'a>(first: Extent, rest: impl Iterator<Item = &'a Action>, alone: &HashSet<ActionId>) -> (usize, Extent) {
    let mut all = first;
    let mut count = 1;
    for action in rest.take_while(|action| !alone.contains(&action.id)) {
        let Op::Write { to, pieces } = &action.op else { break };
        // Only pages leaving memory come in rows of single blocks.
        let page = matches!(pieces.as_slice(), [Piece { source: Source::Page(_), .. }]);
        if !page || to.medium != all.medium || to.offset != all.end() || all.len + to.len > LONGEST {
            break;
        }
        all.len += to.len;
        count += 1;
    }
    (count, all)
}

impl Disks {
    /// Begins the write at the head of the queue, with its neighbours. False: no buffer is free.
    pub(super) fn begin_write(&mut self, hypervisor: &mut dyn Hypervisor) -> bool {
        let Some(Action { op: Op::Write { to, .. }, id }) = self.ready.front() else { return true };
        let (count, to) = match self.alone.contains(id) {
            true => (1, *to),
            false => neighbours(*to, self.ready.iter().skip(1), &self.alone),
        };
        let Some(mut buffer) = Self::buffer(hypervisor, to.len as usize) else { return false };

        // Pieces at rest need buffers of their own; take them before anything is begun.
        let actions = self.ready.iter().take(count);
        let pieces = actions.filter_map(|a| if let Op::Write { pieces, .. } = &a.op { Some(pieces) } else { None });
        let rest = pieces.flatten().filter(|piece| matches!(piece.source, Source::Host(_)));
        let spare: Option<Vec<_>> = rest.map(|piece| Self::buffer(hypervisor, piece.len as usize)).collect();
        let Some(spare) = spare else { return false };
        let mut spare = spare.into_iter();

        let write = self.token();
        let (mut parts, mut at, mut left) = (Vec::with_capacity(count), 0, 0);
        for action in self.ready.drain(..count).collect::<Vec<_>>() {
            let Op::Write { pieces, .. } = &action.op else { continue };
            let mut outcome = Outcome::Done;
            for piece in pieces {
                let (len, part) = (piece.len as usize, parts.len());
                let target = buffer.physical() + at as u64;
                let page = matches!(piece.source, Source::Page(_));
                let tag = Tag::Gathered { write, part, page };
                left += 1;
                match piece.source {
                    Source::Request { request, .. } if !self.live.contains_key(&request) => {
                        // Its domain is gone.
                        left -= 1;
                        outcome = Outcome::Failed;
                    }
                    Source::Request { request, at: from } => {
                        let args = [request.request, u64::from(from), target, len as u64];
                        self.batch.push(command(op::COPY_OUT, request.domain, args), tag);
                    }
                    Source::Page(page) => {
                        self.batch.push(command(op::COPY_PAGE, page.domain, [page.page, target]), tag);
                    }
                    Source::Host(from) => {
                        if let Some(buffer) = spare.next() {
                            self.fly(Flight::Piece { write, part, at, len }, Job::Read { from, buffer }, hypervisor);
                        }
                    }
                    Source::Zero => {
                        left -= 1;
                        if let Some(room) = hypervisor.bytes_mut(&mut buffer).get_mut(at..at + len) {
                            room.fill(0);
                        }
                    }
                }
                at += len;
            }
            parts.push(Part { action, outcome });
        }
        self.flights.insert(write, Flight::Gather { to, buffer, parts, left });
        if left == 0 {
            let mut outcomes = Vec::new();
            self.launch(write, hypervisor, &mut outcomes);
            for (id, outcome) in outcomes {
                self.report(id, outcome);
            }
        }
        true
    }

    /// Everything is gathered: write it. A write of which no part is wanted any more ends here.
    pub(super) fn launch(
        &mut self,
        write: u64,
        hypervisor: &mut dyn Hypervisor,
        outcomes: &mut Vec<(ActionId, Outcome)>,
    ) {
        let Some(Flight::Gather { to, buffer, parts, .. }) = self.flights.remove(&write) else { return };
        // An action of several pieces must not be written in part.
        if parts.iter().all(|part| part.outcome != Outcome::Done) {
            outcomes.extend(parts.iter().map(|part| (part.action.id, part.outcome)));
            return;
        }
        self.flights.insert(write, Flight::Write { to, parts });
        self.io.begin(write, Job::Write { to, buffer }, hypervisor);
    }
}
