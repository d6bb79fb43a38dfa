//! The interrupt of a channel, for event loops.

use super::{AttachError, Hypervisor};
use std::os::fd::BorrowedFd;

/// A hypervisor with an interrupt.
pub trait Line: Hypervisor {
    /// Readable when the hypervisor has raised the interrupt.
    fn interrupt(&self) -> BorrowedFd<'_>;

    /// Takes the interrupt: afterwards the events must be taken, and a new one raises it again.
    ///
    /// # Errors
    /// [`AttachError::File`] if the function's files fail.
    fn acknowledge(&mut self) -> Result<(), AttachError>;

    /// Detaches, so that the hypervisor touches the rings no more.
    fn detach(self);
}
