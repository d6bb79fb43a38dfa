//! Why an instruction is not emulated.

use core::fmt;

/// The reasons. Whose fault it is, is told at each; none is a fault of the hypervisor's state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The bytes end inside the instruction: fetch more, up to 15, or deliver the fault of the fetch.
    Incomplete,
    /// The bytes are no instruction that the decoder knows.
    Invalid,
    /// A valid instruction that is not emulated on device memory (vector, x87, control transfer, ...), or one
    /// whose only access is implicit (a stack or an interrupt table in a device).
    NotEmulated,
    /// The instruction does not make the access that the exit reports: the guest changed its code
    /// under the exit, or the access was made by the page walk. Running it again is the safe answer; a guest
    /// can make that go on for ever, so it must stay interruptible.
    Mismatch,
    /// The access crosses a page.
    CrossesPage,
    /// Another instruction than the exit's: only from [`crate::length`].
    Another,
}

impl Refusal {
    /// One clause for a log or a domain's end record.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Incomplete => "the instruction's bytes are incomplete",
            Self::Invalid => "the bytes are no instruction",
            Self::NotEmulated => "the instruction is not emulated on device memory",
            Self::Mismatch => "the instruction does not make the reported access",
            Self::CrossesPage => "the access crosses a page",
            Self::Another => "another instruction than the exit reports",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for Refusal {}
