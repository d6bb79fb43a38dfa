//! Commands that are collected and submitted together, in order.

use super::state::{Disks, Flight};
use crate::channel::hypervisor::value;
use crate::channel::{Buffer, Hypervisor, Lost};
use crate::devices::bytes::look_at;
use abi::command::Command;
use tesseract::{ActionId, Outcome};

/// What a command's result means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    /// The status byte of a request of the device in that slot; [`Tag::Completes`] follows.
    Status(u32),
    /// The completion of a request of the device in that slot.
    Completes { id: ActionId, slot: u32 },
    /// Done, or Declined for any refusal.
    Declines(ActionId),
    /// Done, or Failed for any refusal.
    Fails(ActionId),
    /// An offer: Done if the result is 1.
    Offer(ActionId),
    /// A piece of a write has been gathered; `page`: from a page that leaves memory, which may be cancelled.
    Gathered { write: u64, part: usize, page: bool },
}

/// Commands, in order, and the buffers that they use.
#[derive(Debug, Default)]
pub(super) struct Batch {
    commands: Vec<Command>,
    tags: Vec<Tag>,
    held: Vec<Buffer>,
}

impl Batch {
    pub(super) fn push(&mut self, command: Command, tag: Tag) {
        self.commands.push(command);
        self.tags.push(tag);
    }

    /// Keeps a buffer until the commands so far have been worked off.
    pub(super) fn hold(&mut self, buffer: Buffer) {
        self.held.push(buffer);
    }
}

impl Disks {
    /// Submits what was collected; what came of which action.
    pub(super) fn submit(&mut self, hypervisor: &mut dyn Hypervisor) -> Result<Vec<(ActionId, Outcome)>, Lost> {
        let mut outcomes = Vec::new();
        let mut batch = std::mem::take(&mut self.batch);
        if batch.commands.is_empty() {
            return Ok(outcomes);
        }
        hypervisor.submit(&mut batch.commands)?;
        for (command, tag) in batch.commands.iter().zip(&batch.tags) {
            let result = value(command);
            match *tag {
                Tag::Status(slot) => look_at(command, slot),
                Tag::Completes { id, slot } => {
                    look_at(command, slot);
                    outcomes.push((id, Outcome::Done));
                }
                Tag::Declines(id) => {
                    outcomes.push((id, if result.is_ok() { Outcome::Done } else { Outcome::Declined }))
                }
                Tag::Fails(id) => outcomes.push((id, if result.is_ok() { Outcome::Done } else { Outcome::Failed })),
                Tag::Offer(id) => outcomes.push((id, if result == Ok(1) { Outcome::Done } else { Outcome::Declined })),
                Tag::Gathered { write, part, page } => {
                    let outcome = match result {
                        Ok(_) => Outcome::Done,
                        Err(abi::Error::Cancelled | abi::Error::NotFound) if page => Outcome::Declined,
                        Err(_) => Outcome::Failed,
                    };
                    self.gathered(write, part, outcome, hypervisor, &mut outcomes);
                }
            }
        }
        Ok(outcomes)
    }

    /// A piece of a write is there, or will not come.
    pub(super) fn gathered(
        &mut self,
        write: u64,
        part: usize,
        outcome: Outcome,
        hypervisor: &mut dyn Hypervisor,
        outcomes: &mut Vec<(ActionId, Outcome)>,
    ) {
        let Some(Flight::Gather { parts, left, .. }) = self.flights.get_mut(&write) else { return };
        *left = left.saturating_sub(1);
        if outcome != Outcome::Done
            && let Some(part) = parts.get_mut(part)
        {
            part.outcome = outcome;
        }
        if *left == 0 {
            self.launch(write, hypervisor, outcomes);
        }
    }
}
