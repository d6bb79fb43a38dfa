//! Exit statuses of `cube`, in one place.

/// The exit status of a command. The numbers are an interface: they do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// Failed, for a reason without a status of its own.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// No such domain.
    NoSuchDomain = 3,
    /// The domain is not in a state that allows this.
    WrongState = 4,
    /// The domain file or a file that it names has mistakes.
    BadDomainFile = 5,
    /// No hypervisor, or no daemon.
    NoHypervisor = 6,
    /// Not enough memory, store or table space.
    NoResources = 7,
    /// A domain of that name exists.
    Exists = 8,
    /// It did not happen in time.
    Timeout = 9,
    /// Client, daemon and hypervisor do not fit together.
    VersionMismatch = 10,
    /// This build or machine cannot do it.
    Unsupported = 11,
    /// `cube wait`, `cube stop`: the domain ended otherwise than by power-off, reset or being killed.
    Crashed = 12,
}

impl Exit {
    /// All, in order of their numbers.
    pub const ALL: [Self; 13] = [
        Self::Ok,
        Self::Failed,
        Self::Usage,
        Self::NoSuchDomain,
        Self::WrongState,
        Self::BadDomainFile,
        Self::NoHypervisor,
        Self::NoResources,
        Self::Exists,
        Self::Timeout,
        Self::VersionMismatch,
        Self::Unsupported,
        Self::Crashed,
    ];

    /// The number.
    #[must_use]
    pub const fn status(self) -> u8 {
        self as u8
    }

    /// What it means, for help texts.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Ok => "done",
            Self::Failed => "failed",
            Self::Usage => "wrong command line",
            Self::NoSuchDomain => "no such domain",
            Self::WrongState => "the domain is not in a state that allows this",
            Self::BadDomainFile => "the domain file or a file that it names has mistakes",
            Self::NoHypervisor => "no hypervisor, or no daemon",
            Self::NoResources => "not enough memory, store or table space",
            Self::Exists => "a domain of that name exists",
            Self::Timeout => "it did not happen in time",
            Self::VersionMismatch => "client, daemon and hypervisor do not fit together",
            Self::Unsupported => "this build or machine cannot do it",
            Self::Crashed => "the domain ended by a fault (wait, stop)",
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.status())
    }
}
