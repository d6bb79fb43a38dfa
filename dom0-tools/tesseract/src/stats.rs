//! Counters, named as they are published.

/// Counters of a domain, since the map was made.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Stats {
    /// Pages read in because they were needed.
    pub swap_in: u64,
    /// Pages that read-around brought.
    pub swap_in_around: u64,
    /// Bytes of pages written to the store.
    pub swap_out_bytes: u64,
    /// R1: whole blocks of guest writes that became references, without reading the page.
    pub r1_hits: u64,
    /// Offered pages, or parts of them, that were copied home instead (R1 off, not a whole block, disk content,
    /// a failing journal, or too many references).
    pub r1_copies: u64,
    /// R2: clean pages that were dropped without a write.
    pub r2_drops: u64,
    /// R3: pages whose old content a guest read made superfluous.
    pub r3_fresh: u64,
    /// R4: disk blocks that were copied to the store before a guest's write changed them.
    pub preserved: u64,
    /// Guest reads.
    pub guest_reads: u64,
    /// Reads of the host that guest reads took; divided by `guest_reads`: `runs_per_guest_read`.
    pub guest_read_runs: u64,
    /// Guest writes.
    pub guest_writes: u64,
    /// Requests that ended with an I/O error.
    pub io_errors: u64,
}

/// Counters and levels of the whole map.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Totals {
    /// Slots of the store.
    pub slots: u64,
    /// Free slots.
    pub free: u64,
    /// Slots that could not be written and are not used any more.
    pub broken: u64,
    /// Pages swapped to slots or disk blocks.
    pub swapped: u64,
    /// Clean pages whose content has a name.
    pub named: u64,
    /// Disk blocks with a reference, current or durable.
    pub ref_lbas: u64,
    /// Blocks that resolve-all copied home.
    pub resolved: u64,
    /// Commits of disk histories.
    pub commits: u64,
}
