//! Who gets which RAM.

use super::{Information, Options, RegionKind};
use crate::memory::ranges::Ranges;
use crate::memory::{frames, kernel_map, records};
use pages::{FrameKind, Owner};
use paging::Mfn;

/// The firmware's map, or what is made of it, has more ranges than are kept.
pub const PIECES: &str = "memory is in too many pieces";
/// dom0's memory ends on such a boundary, so that large pages serve on both sides.
pub const LARGE: u64 = 2 << 20;
/// What lies higher is not mapped, and not used.
pub const MAPPED: u64 = 512 << 30;

/// The division.
pub struct Plan {
    /// dom0's.
    pub dom0: Ranges,
    /// Everything else that is RAM: image and pool.
    pub ours: Ranges,
    /// The pool, without what the loader put there.
    pub pool: Ranges,
}

impl Plan {
    /// Divides what the firmware calls RAM; the error is for the console.
    pub fn make(info: &Information, options: &Options) -> Result<Self, &'static str> {
        let mut ram = Ranges::default();
        for region in info.regions.iter().filter(|region| region.kind == RegionKind::Ram) {
            if !ram.add(region.start.next_multiple_of(4096), region.end.min(MAPPED) & !0xfff) {
                return Err(PIECES);
            }
        }
        let (image_start, image_end) = kernel_map::image();
        let mut wanted = options.dom0_memory.unwrap_or((ram.total() / 2).min(1 << 30));
        let (mut dom0, mut pool) = (Ranges::default(), Ranges::default());
        for (start, end) in ram.iter() {
            let cut = if end - start <= wanted { end } else { (start + wanted) & !(LARGE - 1) };
            let cut = cut.clamp(start, end);
            wanted = if cut == end { wanted - (end - start) } else { 0 };
            if !dom0.add(start, cut) || !pool.add(cut, end) {
                return Err(PIECES);
            }
        }
        // The image is in dom0's part of memory by its address; it is never dom0's.
        let mut ours = pool.clone();
        if !dom0.remove(image_start, image_end)
            || !ours.add(image_start, image_end)
            || !pool.remove(image_start, image_end)
        {
            return Err(PIECES);
        }
        for module in &info.modules {
            if !pool.remove(module.start & !0xfff, module.end.next_multiple_of(4096)) {
                return Err(PIECES);
            }
        }
        Ok(Self { dom0, ours, pool })
    }

    /// Notes whose each frame is; what is left of the pool, `free`, may be given out from now on.
    pub fn settle(&self, free: &Ranges) -> Result<(), &'static str> {
        let mut own = self.ours.clone();
        for (start, end) in free.iter() {
            if !own.remove(start, end) {
                return Err(PIECES);
            }
            frames::donate(Mfn(start.next_multiple_of(4096) >> 12), Mfn(end >> 12));
        }
        for (start, end) in own.iter() {
            records::settle(start, end, FrameKind::Hypervisor, Owner::NOBODY);
        }
        for (start, end) in self.dom0.iter() {
            records::settle(start, end, FrameKind::Dom0, Owner::DOM0);
        }
        Ok(())
    }
}
