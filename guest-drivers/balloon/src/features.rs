//! What driver and device can agree on (sections 5.5.3 and 6).

bitflags::bitflags! {
    /// Features that the driver accepts where they are offered.
    ///
    /// RING_EVENT_IDX is left out: `VirtQueue::should_notify` of virtio-drivers 0.13 compares indices
    /// without regard to their wrapping, and so would one day not notify.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Features: u64 {
        /// There is a queue for statistics.
        const STATS_VQ = 1 << 1;
        /// The guest may take pages back unasked when it is out of memory.
        const DEFLATE_ON_OOM = 1 << 2;
        /// There is a queue for reports of free pages.
        const PAGE_REPORTING = 1 << 5;
        /// The device is not a legacy one. Required.
        const VERSION_1 = 1 << 32;
    }
}
