//! Levels of log messages.

/// How important a message is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Level {
    /// Something failed that should not.
    Error,
    /// Something is odd; work goes on.
    Warning,
    /// What a user wants to know.
    Info,
    /// What a developer wants to know.
    Debug,
}

impl Level {
    /// From the command line: a name or the number of Linux' levels (3 error, 4 warning, 6 info, 7 debug).
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "error" | "3" => Some(Self::Error),
            "warning" | "warn" | "4" => Some(Self::Warning),
            "info" | "6" => Some(Self::Info),
            "debug" | "7" => Some(Self::Debug),
            _ => None,
        }
    }

    /// One letter for the start of a line.
    pub const fn letter(self) -> char {
        match self {
            Self::Error => 'E',
            Self::Warning => 'W',
            Self::Info => 'I',
            Self::Debug => 'D',
        }
    }
}
