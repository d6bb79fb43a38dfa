//! Guest memory as the queues see it: a trait that the hypervisor implements.

/// Why an access did not happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The page with this guest frame number is swapped out: page it in, then do the whole operation again.
    NotPresent(u64),
    /// No memory of the guest at this guest-physical address.
    Bad(u64),
}

/// Access to one guest's physical memory.
///
/// An aligned access of 2, 4 or 8 bytes must be one access, as other processors write the same
/// memory. A failed access may have happened in part.
pub trait GuestMemory {
    /// Copies from guest-physical address `gpa`.
    ///
    /// # Errors
    /// [`Fault`].
    fn read(&mut self, gpa: u64, to: &mut [u8]) -> Result<(), Fault>;

    /// Copies to guest-physical address `gpa`.
    ///
    /// # Errors
    /// [`Fault`].
    fn write(&mut self, gpa: u64, from: &[u8]) -> Result<(), Fault>;

    /// True if all `len` bytes from `gpa` up are the guest's memory, present or not. `gpa + len`
    /// does not overflow.
    fn check(&self, gpa: u64, len: u64) -> bool;
}
