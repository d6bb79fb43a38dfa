//! Addresses as types: frame numbers (4 KiB) and byte addresses, of a guest and of the machine.
//!
//! Invariant: a conversion from bytes to a frame says what it does with the offset, and one from
//! a frame to bytes cannot wrap silently.

/// log2 of the size of a frame.
pub const FRAME_SHIFT: u32 = 12;
/// Size of a frame in bytes.
pub const FRAME_SIZE: u64 = 1 << FRAME_SHIFT;
/// Physical addresses have at most 52 bits (SDM vol. 3, 4.1.4; APM vol. 2, 5.1), so frames have 40.
pub const FRAME_BITS: u32 = 52 - FRAME_SHIFT;

macro_rules! addresses {
    ($frame:ident, $frame_doc:literal, $bytes:ident, $bytes_doc:literal, $to_bytes:ident) => {
        #[doc = $frame_doc]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
        #[repr(transparent)]
        pub struct $frame(pub u64);

        #[doc = $bytes_doc]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
        #[repr(transparent)]
        pub struct $bytes(pub u64);

        impl $frame {
            /// True if the frame lies below the largest physical address that the architecture has.
            #[must_use]
            pub const fn is_valid(self) -> bool {
                self.0 >> FRAME_BITS == 0
            }

            /// Address of the frame's first byte; `None` if the frame is not valid.
            #[must_use]
            pub const fn $to_bytes(self) -> Option<$bytes> {
                if self.is_valid() { Some($bytes(self.0 << FRAME_SHIFT)) } else { None }
            }

            /// The frame `count` frames on; `None` if there is none.
            #[must_use]
            pub const fn checked_add(self, count: u64) -> Option<Self> {
                match self.0.checked_add(count) {
                    Some(sum) if sum >> FRAME_BITS == 0 => Some(Self(sum)),
                    _ => None,
                }
            }

            /// True if the frame starts a block of `frames` frames; `frames` is a power of two.
            #[must_use]
            pub const fn is_aligned(self, frames: u64) -> bool {
                self.0 & (frames - 1) == 0
            }

            /// The first frame of the block of `frames` frames that this one is in.
            #[must_use]
            pub const fn align_down(self, frames: u64) -> Self {
                Self(self.0 & !(frames - 1))
            }
        }

        impl $bytes {
            /// The frame that the byte is in.
            #[must_use]
            pub const fn frame(self) -> $frame {
                $frame(self.0 >> FRAME_SHIFT)
            }

            /// Offset of the byte in its frame, below 4096.
            #[must_use]
            pub const fn offset(self) -> u64 {
                self.0 & (FRAME_SIZE - 1)
            }

            /// The frame that starts at this byte; `None` if the address is not frame-aligned.
            #[must_use]
            pub const fn exact_frame(self) -> Option<$frame> {
                if self.offset() == 0 { Some(self.frame()) } else { None }
            }

            /// The address `bytes` on; `None` if it is above 52 bits.
            #[must_use]
            pub const fn checked_add(self, bytes: u64) -> Option<Self> {
                match self.0.checked_add(bytes) {
                    Some(sum) if sum >> (FRAME_BITS + FRAME_SHIFT) == 0 => Some(Self(sum)),
                    _ => None,
                }
            }
        }

        impl From<$frame> for u64 {
            fn from(frame: $frame) -> u64 {
                frame.0
            }
        }
    };
}

addresses!(Gfn, "Guest frame number: what a domain calls a frame.", Gpa, "Guest-physical address, in bytes.", gpa);
addresses!(Mfn, "Machine frame number: a frame of the machine's memory.", Hpa, "Host-physical address, in bytes.", hpa);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_check_their_range() {
        assert_eq!(Gfn(3).gpa(), Some(Gpa(0x3000)));
        assert_eq!(Mfn(1 << 40).hpa(), None);
        assert_eq!(Mfn((1 << 40) - 1).hpa(), Some(Hpa(0xf_ffff_ffff_f000)));
        assert_eq!(Gpa(0x3fff).frame(), Gfn(3));
        assert_eq!(Gpa(0x3fff).offset(), 0xfff);
        assert_eq!(Gpa(0x3fff).exact_frame(), None);
        assert_eq!(Hpa(0x4000).exact_frame(), Some(Mfn(4)));
    }

    #[test]
    fn sums_do_not_wrap() {
        assert_eq!(Gfn(u64::MAX).checked_add(1), None);
        assert_eq!(Gfn((1 << 40) - 1).checked_add(1), None);
        assert_eq!(Gpa(0x1000).checked_add(u64::MAX), None);
        assert_eq!(Gpa(0x1000).checked_add(8), Some(Gpa(0x1008)));
    }

    #[test]
    fn blocks() {
        assert!(Gfn(512).is_aligned(512));
        assert!(!Gfn(513).is_aligned(512));
        assert_eq!(Gfn(1025).align_down(512), Gfn(1024));
    }
}
