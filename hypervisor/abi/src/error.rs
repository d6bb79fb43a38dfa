//! Why a command was refused, and whose fault that is.

/// Result codes of commands. Non-negative results are successes, whose meaning is the command's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i64)]
pub enum Error {
    /// The command's operation code or a flag is unknown.
    Unknown = -1,
    /// An argument is out of its range.
    Invalid = -2,
    /// No such domain, device, request or page.
    NotFound = -3,
    /// The object is not in a state that allows this (for example: load into a started domain).
    State = -4,
    /// A buffer is not wholly inside dom0's memory.
    BadBuffer = -5,
    /// A copy reaches outside the live request.
    OutsideRequest = -6,
    /// Not enough free frames.
    NoMemory = -7,
    /// A table of the hypervisor is full.
    Full = -8,
    /// Not finished: submit the same command again.
    Again = -9,
    /// The page was touched meanwhile: the page-out is cancelled and its block is not referenced.
    Cancelled = -10,
    /// Another service daemon is attached.
    Busy = -11,
    /// The other side's ABI version differs.
    Version = -12,
    /// This build or machine cannot do it.
    Unsupported = -13,
}

impl Error {
    /// The code as it stands in a command's result.
    #[must_use]
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// The error that a negative result stands for; unknown codes are `Unknown`.
    #[must_use]
    pub const fn from_code(code: i64) -> Self {
        match code {
            -2 => Self::Invalid,
            -3 => Self::NotFound,
            -4 => Self::State,
            -5 => Self::BadBuffer,
            -6 => Self::OutsideRequest,
            -7 => Self::NoMemory,
            -8 => Self::Full,
            -9 => Self::Again,
            -10 => Self::Cancelled,
            -11 => Self::Busy,
            -12 => Self::Version,
            -13 => Self::Unsupported,
            _ => Self::Unknown,
        }
    }

    /// One sentence for a person.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Unknown => "the hypervisor does not know this command",
            Self::Invalid => "an argument is out of range",
            Self::NotFound => "no such domain, device, request or page",
            Self::State => "the domain is not in a state that allows this",
            Self::BadBuffer => "the buffer is not inside dom0's memory",
            Self::OutsideRequest => "the copy reaches outside the live request",
            Self::NoMemory => "not enough free memory",
            Self::Full => "a table of the hypervisor is full",
            Self::Again => "not finished: submit again",
            Self::Cancelled => "the page was touched meanwhile",
            Self::Busy => "another service daemon is attached",
            Self::Version => "the ABI versions of hypervisor and tools differ",
            Self::Unsupported => "not supported by this build or machine",
        }
    }
}
