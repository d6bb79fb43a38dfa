//! A device's configuration space (sections 2.5 and 4.2.2, offset 0x100 and up). Depends on `abi`.
//!
//! Invariant: a driver changes only the bytes that the device type lets it write.

use core::ops::Range;

/// Most bytes of a configuration space, as in [`abi::domain::DeviceConfig`].
pub const MAX_CONFIG: usize = 248;

/// The bytes, how many there are, and their generation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigSpace {
    bytes: [u8; MAX_CONFIG],
    len: usize,
    generation: u32,
    writable: Range<usize>,
}

/// The bytes that a driver of device type `device` may write: the balloon's `actual` (5.5.4).
const fn writable(device: u32) -> Range<usize> {
    if device == abi::platform::VIRTIO_BALLOON { 4..8 } else { 0..0 }
}

impl ConfigSpace {
    /// The space of device type `device`; `None` if `bytes` are more than [`MAX_CONFIG`].
    #[must_use]
    pub fn new(device: u32, bytes: &[u8]) -> Option<Self> {
        let mut space = Self { bytes: [0; MAX_CONFIG], len: bytes.len(), generation: 0, writable: writable(device) };
        space.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(space)
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }

    /// Changes whenever the device side changes the bytes.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// Replaces the bytes from `offset` up, within the space's length; false (nothing changed) if they do not fit.
    pub fn replace(&mut self, offset: usize, bytes: &[u8]) -> bool {
        let end = offset.checked_add(bytes.len()).filter(|end| *end <= self.len);
        let Some(place) = end.and_then(|end| self.bytes.get_mut(offset..end)) else {
            return false;
        };
        place.copy_from_slice(bytes);
        self.generation = self.generation.wrapping_add(1);
        true
    }

    /// A driver's read of `len` (1 to 8) bytes at `offset`; bytes beyond the end are 0.
    #[must_use]
    pub fn read(&self, offset: u64, len: usize) -> u64 {
        let at = |n: u64| {
            let place = offset.checked_add(n).and_then(|at| usize::try_from(at).ok());
            place.and_then(|at| self.bytes().get(at)).copied().unwrap_or(0)
        };
        (0..len.min(8) as u64).fold(0, |value, n| value | u64::from(at(n)) << (8 * n))
    }

    /// A driver's write of the low `len` (1 to 8) bytes of `value` at `offset`; false if any of
    /// them is not the driver's to write (then none is written).
    pub fn write(&mut self, offset: u64, len: usize, value: u64) -> bool {
        let Ok(offset) = usize::try_from(offset) else {
            return false;
        };
        let Some(end) = offset.checked_add(len) else {
            return false;
        };
        let limit = self.writable.end.min(self.len);
        if len > 8 || offset < self.writable.start || end > limit {
            return false;
        }
        let source = value.to_le_bytes();
        if let (Some(place), Some(bytes)) = (self.bytes.get_mut(offset..end), source.get(..len)) {
            place.copy_from_slice(bytes);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_any_width_and_zero_beyond() {
        let space = ConfigSpace::new(2, &[1, 2, 3, 4, 5]).unwrap();
        assert_eq!(space.read(0, 4), 0x0403_0201);
        assert_eq!(space.read(3, 8), 0x0504);
        assert_eq!(space.read(1, 1), 2);
        assert_eq!(space.read(u64::MAX, 8), 0);
        assert_eq!(space.read(0, 99), 0x05_0403_0201);
        assert!(ConfigSpace::new(2, &[0; 249]).is_none());
    }

    #[test]
    fn drivers_write_only_what_is_theirs() {
        let mut balloon = ConfigSpace::new(5, &[0; 8]).unwrap();
        assert!(balloon.write(4, 4, 0x1234_5678));
        assert_eq!(balloon.read(4, 4), 0x1234_5678);
        for (offset, len) in [(0, 4), (3, 2), (4, 8), (8, 1), (u64::MAX, 4), (4, usize::MAX)] {
            assert!(!balloon.write(offset, len, 0), "{offset} {len}");
        }
        assert_eq!(balloon.generation(), 0);
        assert!(!ConfigSpace::new(2, &[0; 60]).unwrap().write(4, 4, 0));
    }

    #[test]
    fn the_device_side_counts_generations() {
        let mut space = ConfigSpace::new(2, &[0; 8]).unwrap();
        assert!(space.replace(0, &7u64.to_le_bytes()));
        assert_eq!((space.read(0, 8), space.generation()), (7, 1));
        assert!(!space.replace(4, &[0; 5]));
        assert!(!space.replace(usize::MAX, &[0; 5]));
        assert_eq!(space.generation(), 1);
    }
}
