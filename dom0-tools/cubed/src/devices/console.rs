//! The console of a domain: virtio-console port 0 (virtio 1.2, section 5.3) and the early 16550,
//! one stream in each direction.

use super::bytes::{answer, copy_out};
use super::history::History;
use crate::channel::hypervisor::{Refused, call, command};
use crate::channel::{Hypervisor, Request};
use abi::command::op;
use protocol::DeviceCounters;
use std::collections::VecDeque;

/// Output kept for those who attach later, in bytes.
pub const HISTORY: usize = 256 << 10;
/// Input kept until the guest takes it, in bytes.
const INPUT: usize = 64 << 10;
/// Output taken from one request at most.
const MOST: usize = 64 << 10;
/// Bytes that a `UART_INPUT` can carry.
const UART_INPUT: usize = 32;

/// Queue numbers of port 0.
const RECEIVE: u32 = 0;
const TRANSMIT: u32 = 1;

/// Where the guest's console program is: input goes where the last output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Uart,
    Virtio,
}

/// A console.
#[derive(Debug)]
pub struct Console {
    output: History,
    fresh: VecDeque<u8>,
    input: VecDeque<u8>,
    receivers: VecDeque<Request>,
    line: Line,
    /// What the device did.
    pub counters: DeviceCounters,
}

impl Default for Console {
    fn default() -> Self {
        Self {
            output: History::new(HISTORY),
            fresh: VecDeque::new(),
            input: VecDeque::new(),
            receivers: VecDeque::new(),
            line: Line::Uart,
            counters: DeviceCounters::default(),
        }
    }
}

impl Console {
    /// The output so far.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.output
    }

    /// Whether input goes to the virtio device, not to the early 16550.
    #[must_use]
    pub fn is_virtio(&self) -> bool {
        self.line == Line::Virtio
    }

    /// Where input goes, as an earlier daemon had it.
    pub fn set_virtio(&mut self, is_virtio: bool) {
        self.line = if is_virtio { Line::Virtio } else { Line::Uart };
    }

    /// Puts back output of an earlier daemon.
    pub fn restore(&mut self, bytes: &[u8]) {
        self.output.push(bytes);
    }

    /// Output since the last call, for the log file.
    pub fn take_fresh(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.fresh).into()
    }

    /// Bytes from the early 16550.
    pub fn uart(&mut self, bytes: &[u8]) {
        self.line = Line::Uart;
        self.push(bytes);
    }

    /// A line of ours between the guest's own.
    pub fn note(&mut self, text: &str) {
        self.push(format!("\r\n[{text}]\r\n").as_bytes());
    }

    /// A request of the virtio device.
    ///
    /// # Errors
    /// As the hypervisor refuses.
    pub fn serve(&mut self, hypervisor: &mut dyn Hypervisor, request: Request) -> Result<(), Refused> {
        match request.queue {
            RECEIVE if request.writable > 0 => {
                self.receivers.push_back(request);
                match self.pump(hypervisor) {
                    // The request is kept, and so is the input: later.
                    Err(Refused::By(abi::Error::NoMemory)) => Ok(()),
                    result => result,
                }
            }
            TRANSMIT => {
                let bytes = copy_out(hypervisor, &request, 0, MOST)?;
                self.line = Line::Virtio;
                self.counters.writes += 1;
                self.counters.write_bytes += bytes.len() as u64;
                self.push(&bytes);
                answer(hypervisor, &request, &[])
            }
            _ => {
                self.counters.errors += 1;
                answer(hypervisor, &request, &[])
            }
        }
    }

    /// The device was reset: its requests are gone.
    pub fn reset(&mut self) {
        self.receivers.clear();
        self.line = Line::Uart;
    }

    /// Input from a client; what does not fit is dropped. [`Console::pump`] then moves it.
    pub fn type_in(&mut self, bytes: &[u8]) {
        let room = INPUT.saturating_sub(self.input.len());
        self.input.extend(bytes.iter().take(room));
    }

    /// True while there is input that the guest has not taken.
    #[must_use]
    pub fn has_input(&self) -> bool {
        !self.input.is_empty()
    }

    /// Forgets what has been typed: there is nobody to take it.
    pub fn drop_input(&mut self) {
        self.input.clear();
    }

    /// Gives the virtio device's guest what has been typed.
    ///
    /// # Errors
    /// As the hypervisor refuses.
    pub fn pump(&mut self, hypervisor: &mut dyn Hypervisor) -> Result<(), Refused> {
        while self.line == Line::Virtio && !self.input.is_empty() {
            let Some(request) = self.receivers.pop_front() else { return Ok(()) };
            let room = usize::try_from(request.writable).unwrap_or(usize::MAX);
            let bytes: Vec<u8> = self.input.iter().take(room).copied().collect();
            match answer(hypervisor, &request, &bytes) {
                Ok(()) => {}
                // Its queue was taken out of use: the next one gets the input.
                Err(Refused::By(abi::Error::NotFound)) => continue,
                Err(error) => {
                    self.receivers.push_front(request);
                    return Err(error);
                }
            }
            self.input.drain(..bytes.len());
            self.counters.reads += 1;
            self.counters.read_bytes += bytes.len() as u64;
        }
        Ok(())
    }

    /// Gives the early 16550 what has been typed, as far as it takes it.
    ///
    /// # Errors
    /// As the hypervisor refuses.
    pub fn pump_uart(&mut self, hypervisor: &mut dyn Hypervisor, domain: u32) -> Result<(), Refused> {
        while self.line == Line::Uart && !self.input.is_empty() {
            let bytes: Vec<u8> = self.input.iter().take(UART_INPUT).copied().collect();
            let mut args = [bytes.len() as u64, 0, 0, 0, 0];
            for (word, chunk) in args.iter_mut().skip(1).zip(bytes.chunks(8)) {
                let mut padded = [0; 8];
                for (to, from) in padded.iter_mut().zip(chunk) {
                    *to = *from;
                }
                *word = u64::from_le_bytes(padded);
            }
            let taken = call(hypervisor, command(op::UART_INPUT, domain, args))?;
            let taken = usize::try_from(taken).unwrap_or(0).min(bytes.len());
            self.input.drain(..taken);
            if taken < bytes.len() {
                break;
            }
        }
        Ok(())
    }

    fn push(&mut self, bytes: &[u8]) {
        self.output.push(bytes);
        // As much as the file keeps: of a flood between two writes of the log only the end is of use.
        let skipped = bytes.len().saturating_sub(HISTORY);
        self.fresh.extend(bytes.iter().skip(skipped));
        let excess = self.fresh.len().saturating_sub(HISTORY);
        self.fresh.drain(..excess);
    }
}
