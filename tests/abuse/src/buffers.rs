//! Addresses that are given as buffers: ours, and such as dom0 does not own.

use abi::PAGE_SIZE;
use fastrand::Rng;

/// What may be named as a buffer. Memory of dom0 that is not ours is never named: dom0 may ruin
/// itself, which would prove nothing.
pub struct Buffers {
    /// Physical address of memory that is ours.
    pub ours: u64,
    /// Its bytes.
    pub len: u64,
    /// First address above dom0's memory.
    pub end: u64,
}

impl Buffers {
    /// Ours, aligned to pages in most cases.
    pub fn good(&self, rng: &mut Rng) -> u64 {
        let page = rng.u64(..self.len / PAGE_SIZE / 2) * PAGE_SIZE;
        self.ours + page + if rng.u8(..8) == 0 { rng.u64(..64) } else { 0 }
    }

    /// Not dom0's for the whole of `len` bytes, `len` up to 2 MiB.
    pub fn bad(&self, rng: &mut Rng) -> u64 {
        match rng.u8(..8) {
            0 => self.end,
            1 => self.end - 1,
            2 => self.end + rng.u64(..1 << 32),
            3 => 0xfee0_0000,
            4 => u64::MAX - rng.u64(..PAGE_SIZE),
            5 => 1 << rng.u32(33..64),
            6 => 0xffff_8000_0000_0000,
            _ => 0xfec0_0000 + rng.u64(..0x1000),
        }
    }
}

/// The end of dom0's highest memory, from the kernel.
///
/// # Errors
/// Why it does not tell.
pub fn dom0_end() -> Result<u64, String> {
    let text = std::fs::read_to_string("/proc/iomem").map_err(|error| error.to_string())?;
    let ends = text.lines().filter(|line| !line.starts_with(' ') && line.ends_with(": System RAM"));
    let ends = ends.filter_map(|line| line.split([' ', '-']).nth(1).and_then(|end| u64::from_str_radix(end, 16).ok()));
    ends.max().map(|end| end + 1).ok_or_else(|| "no memory in /proc/iomem".to_owned())
}
