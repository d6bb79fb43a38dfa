//! The device status byte and its legal progression (sections 2.1 and 3.1.1). Depends on nothing.

/// The guest has noticed the device.
pub const ACKNOWLEDGE: u8 = 1;
/// The guest knows how to drive it.
pub const DRIVER: u8 = 2;
/// The driver is ready: the device may work.
pub const DRIVER_OK: u8 = 4;
/// Features are settled.
pub const FEATURES_OK: u8 = 8;
/// Set by the device: only a reset helps.
pub const NEEDS_RESET: u8 = 64;
/// The driver has given up.
pub const FAILED: u8 = 128;

/// What a driver's write to the status register amounts to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The device is reset.
    Reset,
    /// The status becomes this.
    To(u8),
    /// The write breaks the order of initialisation.
    Illegal,
}

/// Judges a write of `value` over `present`. `features_fit` tells if the driver's features may be
/// settled for: if not, FEATURES_OK stays clear, which the driver is to notice.
#[must_use]
pub const fn step(present: u8, value: u32, features_fit: bool) -> Step {
    if value == 0 {
        return Step::Reset;
    }
    let known = ACKNOWLEDGE | DRIVER | DRIVER_OK | FEATURES_OK | NEEDS_RESET | FAILED;
    if value & !(known as u32) != 0 {
        return Step::Illegal;
    }
    let mut wanted = value as u8 & !NEEDS_RESET;
    // A driver sets bits; only a reset clears them.
    if present & !NEEDS_RESET & !wanted != 0 {
        return Step::Illegal;
    }
    if wanted & FEATURES_OK != 0 && present & FEATURES_OK == 0 && !features_fit {
        wanted &= !FEATURES_OK;
    }
    let before = [(DRIVER, ACKNOWLEDGE), (FEATURES_OK, DRIVER), (DRIVER_OK, FEATURES_OK)];
    let mut n = 0;
    while n < before.len() {
        if wanted & before[n].0 != 0 && wanted & before[n].1 == 0 {
            return Step::Illegal;
        }
        n += 1;
    }
    Step::To(wanted | present & NEEDS_RESET)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_way() {
        assert_eq!(step(0, 1, false), Step::To(1));
        assert_eq!(step(1, 3, false), Step::To(3));
        assert_eq!(step(3, 11, true), Step::To(11));
        assert_eq!(step(11, 15, false), Step::To(15));
        assert_eq!(step(15, 0, false), Step::Reset);
        assert_eq!(step(15, 143, false), Step::To(143));
    }

    #[test]
    fn unfit_features_are_not_confirmed() {
        assert_eq!(step(3, 11, false), Step::To(3));
        assert_eq!(step(3, 15, false), Step::Illegal);
    }

    #[test]
    fn disorder_is_illegal() {
        for (present, value) in [(0, 2), (1, 9), (3, 7), (3, 1), (15, 11), (1, 0x101), (1, 17), (1, 1 << 31 | 1)] {
            assert_eq!(step(present, value, true), Step::Illegal, "{present} {value}");
        }
    }

    #[test]
    fn the_device_s_own_bit_stays() {
        assert_eq!(step(15 | NEEDS_RESET, 143, true), Step::To(143 | NEEDS_RESET));
        assert_eq!(step(1, 3 | 64, true), Step::To(3));
    }
}
