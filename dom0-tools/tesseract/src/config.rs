//! Sizes, bounds and switches.

/// Sizes and bounds. `Config::new` gives sensible ones for a number of slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Slots of the store.
    pub slots: u64,
    /// Slots that page-outs leave for what guests' writes must preserve.
    pub reserve: u64,
    /// Most pages that one page-in brings, itself included. 1: no read-around.
    pub read_around: u64,
    /// Longest single read or write, in bytes; at least 4096.
    pub max_run: u32,
    /// Most disk blocks with a reference; more are copied home instead.
    pub max_refs: usize,
}

impl Config {
    /// Defaults for a store of `slots` slots.
    #[must_use]
    pub fn new(slots: u64) -> Self {
        Self {
            slots,
            reserve: (slots / 64).min(1024),
            read_around: 16,
            max_run: 256 << 10,
            max_refs: usize::try_from(slots).unwrap_or(usize::MAX),
        }
    }
}

/// The redundancies that are removed for a domain (numbers as in the literature on double paging).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Switches {
    /// A guest's write of a swapped page becomes a reference. Off: its content is copied home.
    pub r1: bool,
    /// Clean pages are dropped without a write. Off: no names are given to clean pages.
    pub r2: bool,
    /// Whole-page reads into swapped pages get fresh frames. The hypervisor does that; kept here
    /// so that one structure tells all.
    pub r3: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self { r1: true, r2: true, r3: true }
    }
}
