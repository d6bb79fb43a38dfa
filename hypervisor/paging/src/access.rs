//! What a leaf allows, and how its bytes are cached.

/// Rights of a leaf. Every format can express exactly those with `read`: EPT calls write without
/// read a misconfiguration and execute without read an option (SDM vol. 3, 29.3.3.1), NPT has neither.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Access {
    /// Loads.
    pub read: bool,
    /// Stores.
    pub write: bool,
    /// Instruction fetches.
    pub execute: bool,
}

impl Access {
    /// Loads only.
    pub const R: Self = Self { read: true, write: false, execute: false };
    /// Loads and stores.
    pub const RW: Self = Self { read: true, write: true, execute: false };
    /// Loads and fetches.
    pub const RX: Self = Self { read: true, write: false, execute: true };
    /// Everything.
    pub const RWX: Self = Self { read: true, write: true, execute: true };

    /// True if everything that `other` allows is allowed here too.
    #[must_use]
    pub const fn includes(self, other: Self) -> bool {
        (self.read || !other.read) && (self.write || !other.write) && (self.execute || !other.execute)
    }
}

/// How a leaf's bytes are cached. The numbers are the architecture's (SDM vol. 3, 12.3; the same
/// in EPT entries and in the PAT).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum MemoryType {
    /// Device memory.
    Uncacheable = 0,
    /// Frame buffers.
    WriteCombining = 1,
    /// Write-through.
    WriteThrough = 4,
    /// Write-protected: reads cached, writes not.
    WriteProtected = 5,
    /// RAM.
    WriteBack = 6,
}

impl MemoryType {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Uncacheable, Self::WriteCombining, Self::WriteThrough, Self::WriteProtected, Self::WriteBack];
}
