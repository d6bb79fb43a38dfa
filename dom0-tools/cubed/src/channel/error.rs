//! Why the channel cannot be had, or is lost. Every text says what to do next.

use std::path::PathBuf;

/// The hypervisor takes no commands any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}", self.what(), self.hint())]
pub enum Lost {
    /// The status register says that nobody is attached.
    Detached,
    /// Many doorbells in a row without progress.
    Stuck,
}

impl Lost {
    /// What has happened.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::Detached => "the hypervisor has detached this daemon (bus mastering was cleared?)",
            Self::Stuck => "the hypervisor does not work off the command ring",
        }
    }

    /// What to do next.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Detached => "start cubed again",
            Self::Stuck => "see the hypervisor's log on the second serial port, then start cubed again",
        }
    }
}

/// Why attaching failed.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// Another daemon holds the lock.
    #[error("another cubed is running (process {pid}): use it, or end it first with `kill {pid}`")]
    Locked {
        /// The first daemon's process identifier, as it wrote it; `?` if unreadable.
        pid: String,
    },
    /// There is no such PCI function.
    #[error(
        "no Hypercube service function (PCI {vendor:04x}:{device:04x}) found: cubed runs in dom0 of a Hypercube host only",
        vendor = abi::channel::PCI_VENDOR, device = abi::channel::PCI_DEVICE
    )]
    NoFunction,
    /// The driver did not come.
    #[error("the function {slot} could not be bound to uio_pci_generic: {why}; try `modprobe uio_pci_generic`")]
    Driver {
        /// PCI address.
        slot: String,
        /// What was seen.
        why: String,
    },
    /// The device has no interrupt that can be told to the hypervisor.
    #[error("the interrupt of the function {slot} is not known: {why}; boot dom0 without `noapic` and `acpi=off`")]
    Interrupt {
        /// PCI address.
        slot: String,
        /// What was seen.
        why: String,
    },
    /// BAR 0 does not answer like the service function.
    #[error(
        "the function's registers read {0:#010x} instead of the magic number: start the hypervisor that these tools came with"
    )]
    Magic(u32),
    /// The ABI differs.
    #[error(
        "the hypervisor speaks ABI version {0}, this cubed version {ours}: install the tools that came with the hypervisor",
        ours = abi::VERSION
    )]
    Version(u32),
    /// The attach itself was refused.
    #[error(
        "the hypervisor refused to attach: {}; end whatever else uses the function, then start cubed again \
         (the hypervisor's log on the second serial port may tell more)",
        .0.text()
    )]
    Refused(abi::Error),
    /// No huge pages.
    #[error(
        "only {got} of at least {need} huge pages of 2 MiB are available: \
         add `hugepages={need}` to dom0's kernel command line, or raise dom0_mem"
    )]
    HugePages {
        /// Pages that could be had.
        got: usize,
        /// Pages without which nothing works.
        need: usize,
    },
    /// Physical addresses are hidden.
    #[error("/proc/self/pagemap does not tell physical addresses ({0}): run cubed as root")]
    Pagemap(String),
    /// An operation on a file failed.
    #[error("{what} {path}: {source}; run cubed as root in dom0, with /proc and /sys mounted", path = path.display())]
    File {
        /// What was tried, as a verb.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl AttachError {
    /// For `map_err`: an operation on a file failed.
    pub(crate) fn file(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { what, path, source }
    }
}

#[cfg(test)]
mod tests {
    use super::AttachError;
    use std::io::ErrorKind;

    #[test]
    fn texts_say_what_to_do_next() {
        let file = AttachError::file("opening", "/x")(ErrorKind::PermissionDenied.into());
        for (error, next) in [
            (AttachError::Refused(abi::Error::Busy), "start cubed again"),
            (AttachError::Magic(0), "start the hypervisor"),
            (file, "run cubed as root"),
        ] {
            assert!(error.to_string().contains(next), "{error}");
        }
    }
}
