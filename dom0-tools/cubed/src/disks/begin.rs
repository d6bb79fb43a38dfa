//! Begins actions, in the order in which the map gave them, as far as buffers reach.

use super::Job;
use super::batch::Tag;
use super::commands;
use super::state::{Disks, Flight, Live, Offer};
use crate::channel::Hypervisor;
use std::collections::HashSet;
use tesseract::{Action, ActionId, Extent, Op, Outcome};

/// Longest read that loads are put together to, in bytes.
const LONGEST: u32 = 256 << 10;

impl Disks {
    /// Begins what can be begun. True if anything was.
    pub(super) fn begin(&mut self, hypervisor: &mut dyn Hypervisor) -> bool {
        let mut began = false;
        while !self.urgent.is_empty() && self.begin_loads(hypervisor) {
            began = true;
        }
        while let Some(action) = self.ready.front() {
            let begun = match action.op {
                Op::Write { .. } => self.begin_write(hypervisor),
                Op::Load { .. } => self.begin_loads(hypervisor),
                Op::Read { .. } => self.begin_read(hypervisor),
                _ => self.begin_plain(hypervisor),
            };
            if !begun {
                break;
            }
            began = true;
        }
        began
    }

    /// Begins a load, with the neighbours that were handed out with it. False: no buffer is free.
    fn begin_loads(&mut self, hypervisor: &mut dyn Hypervisor) -> bool {
        let mut actions: Vec<Action> = self.urgent.pop_front().into_iter().collect();
        let more = self.ready.iter().take_while(|action| matches!(action.op, Op::Load { .. })).count();
        actions.extend(self.ready.drain(..more));
        let Some((from, chosen, rest)) = row(actions, &self.alone) else { return true };
        for action in rest.into_iter().rev() {
            self.ready.push_front(action);
        }
        let Some(buffer) = hypervisor.pool().take(from.len as usize) else {
            for action in chosen.into_iter().rev() {
                match action.op {
                    Op::Load { demanded: true, .. } => self.urgent.push_front(action),
                    _ => self.ready.push_front(action),
                }
            }
            return false;
        };
        let offer = |action: Action| match action.op {
            Op::Load { page, block, from: place, keep, demanded } => {
                let at = usize::try_from(place.offset - from.offset).unwrap_or(0);
                Some(Offer { id: action.id, page, block, keep, demanded, at })
            }
            _ => None,
        };
        let offers = chosen.into_iter().filter_map(offer).collect();
        self.fly(Flight::Load { from, offers }, Job::Read { from, buffer }, hypervisor);
        true
    }

    fn begin_read(&mut self, hypervisor: &mut dyn Hypervisor) -> bool {
        let Some(Action { id, op: Op::Read { from, request, at } }) = self.ready.front().cloned() else { return true };
        if !self.live.contains_key(&request) {
            // Its domain is gone.
            self.ready.pop_front();
            self.report(id, Outcome::Failed);
            return true;
        }
        let Some(buffer) = Self::buffer(hypervisor, from.len as usize) else { return false };
        self.ready.pop_front();
        let flight = Flight::Read { id, request, at, len: from.len as usize };
        self.fly(flight, Job::Read { from, buffer }, hypervisor);
        true
    }

    fn begin_plain(&mut self, hypervisor: &mut dyn Hypervisor) -> bool {
        if self.status.is_none() {
            self.status = commands::status_bytes(hypervisor);
        }
        if self.status.is_none() {
            return false;
        }
        let Some(Action { id, op }) = self.ready.pop_front() else { return true };
        match op {
            Op::Zero { to, unmap } => {
                self.fly(Flight::Plain { id, len: 0 }, Job::Zero { to, unmap }, hypervisor);
            }
            Op::Sync(what) => self.fly(Flight::Plain { id, len: 0 }, Job::Sync(what), hypervisor),
            Op::Journal(records) => {
                let len = (records.len() * tesseract::RECORD_SIZE) as u64;
                self.fly(Flight::Plain { id, len }, Job::Journal(records), hypervisor);
            }
            Op::Complete { request, status, associate } => {
                // Else the domain is gone.
                if let (Some(Live { writable, slot }), Some(bytes)) = (self.live.remove(&request), &self.status) {
                    let [first, second] = commands::complete(request, status, associate, writable, bytes.physical());
                    self.batch.push(first, Tag::Status(slot));
                    self.batch.push(second, Tag::Completes { id, slot });
                } else {
                    self.report(id, Outcome::Done);
                }
            }
            Op::Resolved { disk, ok } => {
                self.resolved(disk, ok);
                self.report(id, Outcome::Done);
            }
            other => {
                if let Some(command) = commands::plain(&other) {
                    self.counts.note(&other);
                    self.batch.push(command, Tag::Declines(id));
                }
            }
        }
        true
    }
}

/// Of these loads: the row that the first one is in, as one extent; its actions in order; the others.
fn row(mut actions: Vec<Action>, alone: &HashSet<ActionId>) -> Option<(Extent, Vec<Action>, Vec<Action>)> {
    let place = |action: &Action| match action.op {
        Op::Load { from, .. } => Some(from),
        _ => None,
    };
    let mut all = actions.first().and_then(place)?;
    let mut chosen = vec![actions.remove(0)];
    if chosen.iter().any(|first| alone.contains(&first.id)) {
        return Some((all, chosen, actions));
    }
    loop {
        let next = actions.iter().position(|action| {
            let joins = !alone.contains(&action.id);
            place(action).filter(|_| joins).is_some_and(|from| {
                from.medium == all.medium
                    && (from.offset == all.end() || from.end() == all.offset)
                    && all.len + from.len <= LONGEST
            })
        });
        let Some(next) = next else { return Some((all, chosen, actions)) };
        let action = actions.remove(next);
        if let Some(from) = place(&action) {
            all.offset = all.offset.min(from.offset);
            all.len += from.len;
        }
        chosen.push(action);
    }
}
