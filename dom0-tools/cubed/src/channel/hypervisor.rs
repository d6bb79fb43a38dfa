//! What the rest of the daemon knows of the hypervisor: a trait, so that everything above it runs
//! on a host against a model.

use super::{Buffer, Event, Lost, Pool};
use abi::command::Command;

/// The hypervisor at the other end of the service channel.
///
/// Buffers are plain memory between two calls: the hypervisor reads and writes them only inside
/// [`Hypervisor::submit`], which borrows it exclusively.
pub trait Hypervisor {
    /// Has the commands worked off, in order. Afterwards each `result` (and where the operation
    /// says so, `args`) is what the hypervisor wrote.
    ///
    /// # Errors
    /// [`Lost`] if the hypervisor takes no commands any more: nothing can be done but to attach again.
    fn submit(&mut self, commands: &mut [Command]) -> Result<(), Lost>;

    /// The next event, copied out of the ring; `None` if there is none now.
    fn next_event(&mut self) -> Option<Event>;

    /// The memory that buffers are taken from.
    fn pool(&self) -> &Pool;

    /// The bytes of a buffer.
    fn bytes<'a>(&'a self, buffer: &'a Buffer) -> &'a [u8];

    /// The bytes of a buffer, to change.
    fn bytes_mut<'a>(&'a mut self, buffer: &'a mut Buffer) -> &'a mut [u8];
}

/// Submits one command and gives its result: the value, or the hypervisor's error.
///
/// # Errors
/// [`Refused::Lost`] as [`Hypervisor::submit`]; [`Refused::By`] with the code that the hypervisor gave.
pub fn call(hypervisor: &mut dyn Hypervisor, command: Command) -> Result<u64, Refused> {
    let mut one = [command];
    hypervisor.submit(&mut one)?;
    Ok(value(&one[0])?)
}

/// The value of a worked-off command.
///
/// # Errors
/// The error code that stands in its result.
pub fn value(command: &Command) -> Result<u64, abi::Error> {
    u64::try_from(command.result).map_err(|_| abi::Error::from_code(command.result))
}

/// A command from its parts; missing arguments are 0.
#[must_use]
pub fn command<const N: usize>(op: u32, domain: u32, args: [u64; N]) -> Command {
    let mut all = [0; 5];
    for (slot, arg) in all.iter_mut().zip(args) {
        *slot = arg;
    }
    Command { op, domain, args: all, result: 0 }
}

/// Why a call gave no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The channel is gone.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// The hypervisor said no.
    #[error("{}", .0.text())]
    By(abi::Error),
}

impl From<abi::Error> for Refused {
    fn from(error: abi::Error) -> Self {
        Self::By(error)
    }
}
