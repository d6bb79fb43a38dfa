//! Accesses that are over.

use super::Finished;
use super::batch::Tag;
use super::commands;
use super::state::{Disks, Flight, Offer, Part};
use crate::channel::hypervisor::command;
use crate::channel::{Buffer, Hypervisor};
use abi::command::op;
use std::io::ErrorKind;
use tesseract::{Action, BLOCK_LEN, Extent, Medium, Op, Outcome};

/// What a write's error means. A store in a file system that has no space for it at present is as full as one without
/// free slots: the same place may be written later.
fn unwritten(to: Extent, error: &std::io::Error) -> Outcome {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded if to.medium == Medium::Store => Outcome::NoRoom,
        _ => Outcome::Failed,
    }
}

impl Disks {
    /// Takes an access that is over; what follows at once is put into the batch or reported.
    pub(super) fn land(&mut self, finished: Finished, hypervisor: &mut dyn Hypervisor) {
        let Finished { token, buffer, result } = finished;
        let Some(flight) = self.flights.remove(&token) else { return };
        if let Err(error) = &result {
            self.counts.errors += 1;
            tracing::error!(?flight, %error, "disk or store I/O failed");
        }
        match flight {
            Flight::Piece { write, part, at, len } => {
                let outcome = if result.is_ok() { Outcome::Done } else { Outcome::Failed };
                if let Some(buffer) = buffer {
                    self.place(write, at, len, &buffer, hypervisor);
                }
                let mut outcomes = Vec::new();
                self.gathered(write, part, outcome, hypervisor, &mut outcomes);
                for (id, outcome) in outcomes {
                    self.report(id, outcome);
                }
            }
            Flight::Write { parts, .. } if result.is_err() && parts.len() > 1 => self.write_alone(parts),
            Flight::Write { to, parts } => {
                self.counts.written(to);
                for part in parts {
                    let outcome = result.as_ref().map_or_else(|error| unwritten(to, error), |()| part.outcome);
                    self.report(part.action.id, outcome);
                }
            }
            Flight::Read { id, request, at, len } => match (result, buffer) {
                (Ok(()), Some(buffer)) if self.live.contains_key(&request) => {
                    let args = [request.request, u64::from(at), buffer.physical(), len as u64];
                    self.batch.push(command(op::COPY_IN, request.domain, args), Tag::Fails(id));
                    self.batch.hold(buffer);
                }
                _ => self.report(id, Outcome::Failed),
            },
            Flight::Load { from, offers } if result.is_err() && offers.len() > 1 => self.load_alone(from, offers),
            Flight::Load { from, offers } => self.loaded(from, &offers, result.is_ok(), buffer),
            Flight::Plain { id, len } => {
                self.counts.journalled += len;
                self.report(id, if result.is_ok() { Outcome::Done } else { Outcome::Failed });
            }
            Flight::Gather { .. } => {}
        }
    }

    /// A write of several has failed: each again, by itself.
    fn write_alone(&mut self, parts: Vec<Part>) {
        for Part { action, outcome } in parts.into_iter().rev() {
            if outcome == Outcome::Done {
                self.alone.insert(action.id);
                self.ready.push_front(action);
            } else {
                self.report(action.id, outcome);
            }
        }
    }

    /// The same for a read.
    fn load_alone(&mut self, from: Extent, offers: Vec<Offer>) {
        for Offer { id, page, block, keep, demanded, at } in offers.into_iter().rev() {
            let from = Extent { offset: from.offset + at as u64, len: BLOCK_LEN, ..from };
            self.alone.insert(id);
            let action = Action { id, op: Op::Load { page, block, from, keep, demanded } };
            match demanded {
                true => self.urgent.push_front(action),
                false => self.ready.push_front(action),
            }
        }
    }

    fn loaded(&mut self, from: Extent, offers: &[Offer], ok: bool, buffer: Option<Buffer>) {
        self.counts.read(from);
        match buffer.filter(|_| ok) {
            Some(buffer) => {
                for one in offers {
                    self.batch.push(commands::offer(one, &buffer), Tag::Offer(one.id));
                }
                self.batch.hold(buffer);
            }
            None => offers.iter().for_each(|one| self.report(one.id, Outcome::Failed)),
        }
    }

    /// Puts a piece at rest into the buffer of its write.
    fn place(&mut self, write: u64, at: usize, len: usize, piece: &Buffer, hypervisor: &mut dyn Hypervisor) {
        let bytes = hypervisor.bytes(piece).get(..len).unwrap_or_default().to_vec();
        if let Some(Flight::Gather { buffer, .. }) = self.flights.get_mut(&write)
            && let Some(room) = hypervisor.bytes_mut(buffer).get_mut(at..at + len)
        {
            room.copy_from_slice(&bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn no_space_for_the_store_s_file_is_no_bad_slot() {
        for error in [Errno::NOSPC, Errno::DQUOT].map(std::io::Error::from) {
            assert_eq!(unwritten(Extent::slot(3), &error), Outcome::NoRoom);
            assert_eq!(unwritten(Extent::block(1, 3), &error), Outcome::Failed, "the guest's own disk");
        }
        let error = std::io::Error::from(Errno::IO);
        assert_eq!(unwritten(Extent::slot(3), &error), Outcome::Failed);
    }
}
