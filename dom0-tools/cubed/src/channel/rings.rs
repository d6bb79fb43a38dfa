//! The two rings in the channel area, from dom0's side.
//!
//! Invariant: an event entry and its detail are read only between a `tail` that covers them and
//! the `head` that gives them back; a command entry is written only while the ring is ours.

use super::Lost;
use super::mapping::Mapping;
use abi::channel::{COMMANDS, DETAIL_SIZE, EVENTS, layout};
use abi::command::{Command, CommandEntry};
use abi::event::{Event, MAX_SEGMENTS, RequestDetail, Segment, kind};
use std::sync::atomic::Ordering;

/// Doorbells without progress after which the hypervisor counts as stuck.
const PATIENCE: u32 = 100_000;

/// The other side of the command ring, as far as the rings need it.
pub trait Bell {
    /// Lets the hypervisor work on the command ring; returns when it has stopped.
    fn ring(&self);
    /// False once the hypervisor has detached us.
    fn attached(&self) -> bool;
}

/// A raw event with the part of its detail area that belongs to it.
#[derive(Debug, Clone)]
pub struct RawEvent {
    /// The entry.
    pub event: Event,
    /// For requests: the detail header.
    pub detail: Option<RequestDetail>,
    /// For requests: the segments, at most [`MAX_SEGMENTS`].
    pub segments: Vec<Segment>,
}

/// Both rings.
#[derive(Debug)]
pub struct Rings {
    channel: Mapping,
    detail: Mapping,
}

#[expect(clippy::cast_possible_truncation, reason = "offsets within 2 MiB")]
impl Rings {
    /// Rings over the two areas, emptied. Nobody may be attached to them.
    #[must_use]
    pub fn new(channel: Mapping, detail: Mapping) -> Self {
        for word in [layout::COMMAND_HEAD, layout::COMMAND_TAIL, layout::EVENT_HEAD, layout::EVENT_TAIL] {
            channel.store(word as usize, 0, Ordering::Release);
        }
        Self { channel, detail }
    }

    /// Submits any number of commands and waits for all their results.
    ///
    /// # Errors
    /// [`Lost`] if the hypervisor is not attached or makes no progress.
    pub fn submit(&self, commands: &mut [Command], bell: &dyn Bell) -> Result<(), Lost> {
        for part in commands.chunks_mut(COMMANDS as usize) {
            self.submit_part(part, bell)?;
        }
        Ok(())
    }

    fn submit_part(&self, commands: &mut [Command], bell: &dyn Bell) -> Result<(), Lost> {
        let first = self.load(layout::COMMAND_TAIL);
        let mut tail = first;
        for command in &*commands {
            let entry = CommandEntry { command: *command, cookie: 0 };
            self.channel.write(command_offset(tail), &entry);
            tail = tail.wrapping_add(1);
        }
        self.store(layout::COMMAND_TAIL, tail);
        self.wait(tail, bell)?;
        for (i, command) in (0u32..).zip(commands) {
            let entry: CommandEntry = self.channel.read(command_offset(first.wrapping_add(i)));
            *command = entry.command;
        }
        Ok(())
    }

    fn wait(&self, tail: u32, bell: &dyn Bell) -> Result<(), Lost> {
        let mut head = self.load(layout::COMMAND_HEAD);
        let mut fruitless = 0;
        while head != tail {
            bell.ring();
            let now = self.load(layout::COMMAND_HEAD);
            fruitless = if now == head { fruitless + 1 } else { 0 };
            head = now;
            if fruitless > 0 && !bell.attached() {
                return Err(Lost::Detached);
            }
            if fruitless > PATIENCE {
                return Err(Lost::Stuck);
            }
        }
        Ok(())
    }

    /// Takes the next event, or `None`. The entry is given back before this returns.
    pub fn next_event(&self) -> Option<RawEvent> {
        let head = self.load(layout::EVENT_HEAD);
        if head == self.load(layout::EVENT_TAIL) {
            return None;
        }
        let index = (head % EVENTS) as usize;
        let event: Event = self.channel.read(layout::EVENTS as usize + index * size_of::<Event>());
        let mut raw = RawEvent { event, detail: None, segments: Vec::new() };
        if event.kind == kind::REQUEST {
            let base = index * DETAIL_SIZE as usize;
            let detail: RequestDetail = self.detail.read(base);
            let count = (detail.segments as usize).min(MAX_SEGMENTS);
            raw.segments = (0..count)
                .map(|i| self.detail.read(base + size_of::<RequestDetail>() + i * size_of::<Segment>()))
                .collect();
            raw.detail = Some(detail);
        }
        self.store(layout::EVENT_HEAD, head.wrapping_add(1));
        // The hypervisor raises the interrupt when it sees the ring empty through `head`; the
        // store must be visible before the next load of `tail`, or both sides could wait.
        Mapping::fence();
        Some(raw)
    }

    fn load(&self, word: u64) -> u32 {
        self.channel.load(word as usize, Ordering::Acquire)
    }

    fn store(&self, word: u64, value: u32) {
        self.channel.store(word as usize, value, Ordering::Release);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "offsets within 2 MiB")]
fn command_offset(index: u32) -> usize {
    layout::COMMANDS as usize + (index % COMMANDS) as usize * size_of::<CommandEntry>()
}

#[cfg(test)]
mod tests;
