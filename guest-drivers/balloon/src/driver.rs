//! The balloon driver: negotiation, inflation, deflation, reports.

use crate::features::Features;
use crate::frames::{BATCH, FrameQueue};
use crate::statistics::{Statistic, StatisticsQueue};
use virtio_drivers::queue::VirtQueue;
use virtio_drivers::transport::{DeviceStatus, DeviceType, Transport};
use virtio_drivers::{Error, Hal, Result};

const INFLATE: u16 = 0;
const DEFLATE: u16 = 1;
/// Statistics, if there are any.
pub(crate) const STATISTICS: u16 = 2;
/// Offsets in the configuration space (section 5.5.4).
const NUM_PAGES: usize = 0;
const ACTUAL: usize = 4;
/// Most ranges in one report.
const REPORT: usize = 32;

/// A memory balloon.
pub struct Balloon<H: Hal, T: Transport> {
    // The queues go before the transport is dropped, but after `drop` below has reset the device.
    inflate: FrameQueue<H>,
    deflate: FrameQueue<H>,
    statistics: Option<StatisticsQueue<H>>,
    reporting: Option<VirtQueue<H, REPORT>>,
    features: Features,
    actual: u32,
    transport: T,
}

impl<H: Hal, T: Transport> Balloon<H, T> {
    /// Takes the device into use.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if it is no balloon or refuses the features; those of setting up queues.
    pub fn new(mut transport: T) -> Result<Self> {
        if transport.device_type() != DeviceType::MemoryBalloon {
            return Err(Error::Unsupported);
        }
        let features = transport.begin_init(Features::all());
        if !features.contains(Features::VERSION_1) || !transport.get_status().contains(DeviceStatus::FEATURES_OK) {
            return Err(Error::Unsupported);
        }
        let inflate = FrameQueue::new(&mut transport, INFLATE)?;
        let deflate = FrameQueue::new(&mut transport, DEFLATE)?;
        let mut next = STATISTICS;
        let mut statistics = None;
        if features.contains(Features::STATS_VQ) {
            statistics = Some(StatisticsQueue::new(&mut transport, next)?);
            next += 1;
        }
        let mut reporting = None;
        if features.contains(Features::PAGE_REPORTING) {
            // The queues that exist are numbered without gaps, as Linux does.
            reporting = Some(VirtQueue::new(&mut transport, next, false, false)?);
        }
        transport.finish_init();
        Ok(Self { inflate, deflate, statistics, reporting, features, actual: 0, transport })
    }

    /// What was agreed on.
    pub const fn features(&self) -> Features {
        self.features
    }

    /// How many pages (4 KiB) the host wants the guest to have given up in all.
    ///
    /// # Errors
    /// Those of reading the configuration space.
    pub fn target(&self) -> Result<u32> {
        self.transport.read_consistent(|| self.transport.read_config_space(NUM_PAGES))
    }

    /// How many pages the guest has given up.
    pub const fn actual(&self) -> u32 {
        self.actual
    }

    /// Gives pages to the host, by frame number (guest-physical address / 4096).
    ///
    /// # Errors
    /// Those of the queue; some batches of [`BATCH`] may have been given then.
    ///
    /// # Safety
    /// The frames are memory that nothing refers to until they were passed to [`Self::deflate`]: their content is gone.
    pub unsafe fn inflate(&mut self, frames: &[u32]) -> Result<()> {
        for batch in frames.chunks(BATCH) {
            self.inflate.send(&mut self.transport, batch)?;
            self.set_actual(self.actual.saturating_add(batch.len() as u32))?;
        }
        Ok(())
    }

    /// Takes pages back. Their content is undefined.
    ///
    /// # Errors
    /// Those of the queue; some batches of [`BATCH`] may have been taken back then.
    pub fn deflate(&mut self, frames: &[u32]) -> Result<()> {
        for batch in frames.chunks(BATCH) {
            self.deflate.send(&mut self.transport, batch)?;
            self.set_actual(self.actual.saturating_sub(batch.len() as u32))?;
        }
        Ok(())
    }

    fn set_actual(&mut self, actual: u32) -> Result<()> {
        self.actual = actual;
        self.transport.write_config_space(ACTUAL, actual)
    }

    /// True if the host waits for statistics (it always wants a first set).
    pub fn statistics_wanted(&self) -> bool {
        self.statistics.as_ref().is_some_and(StatisticsQueue::wanted)
    }

    /// Hands in statistics, 1 to [`crate::MAX_STATISTICS`]; false if none are wanted now.
    ///
    /// # Errors
    /// [`Error::Unsupported`] without that queue; [`Error::InvalidParam`] for none or too many; those of the queue.
    pub fn publish(&mut self, statistics: &[Statistic]) -> Result<bool> {
        let queue = self.statistics.as_mut().ok_or(Error::Unsupported)?;
        queue.publish(&mut self.transport, statistics)
    }

    /// Reports up to 32 ranges of free memory: the host may drop their content. They remain the guest's;
    /// afterwards each of their bytes is either what it was or 0.
    ///
    /// # Errors
    /// [`Error::Unsupported`] without that queue; [`Error::InvalidParam`] for no, empty or too many ranges.
    pub fn report_free(&mut self, ranges: &mut [&mut [u8]]) -> Result<()> {
        let queue = self.reporting.as_mut().ok_or(Error::Unsupported)?;
        if ranges.len() > REPORT || ranges.iter().any(|range| range.is_empty()) {
            return Err(Error::InvalidParam);
        }
        // The queue wants slices that live as long as their list: lend them out anew.
        let mut lent: [&mut [u8]; REPORT] = core::array::from_fn(|_| &mut [] as &mut [u8]);
        let count = ranges.len();
        for (place, range) in lent.iter_mut().zip(ranges.iter_mut()) {
            *place = range;
        }
        match lent.get_mut(..count) {
            None | Some([]) => Err(Error::InvalidParam),
            Some(lent) => queue.add_notify_wait_pop(&[], lent, &mut self.transport).map(drop),
        }
    }
}

impl<H: Hal, T: Transport> Drop for Balloon<H, T> {
    fn drop(&mut self) {
        self.transport.set_status(DeviceStatus::empty());
    }
}
