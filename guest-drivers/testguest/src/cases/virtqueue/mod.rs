//! Virtqueues that break the specification: `virtqueue-BREACH`. Each must end only this domain (with
//! BAD_VIRTQUEUE), or, where the registers already cannot be right, stop the device (then PASS); a guest
//! that is still there after two seconds otherwise says FAIL. `virtqueue-registers` is legal
//! nonsense written to a device's registers: it must pass. `virtqueue-broken` and `virtqueue-endless`
//! are a balloon's, see there.
//! Needs: any virtio device; options: `device=` its virtio identifier (default: the first).

mod balloon;
mod breaches;
mod registers;
mod rings;

use crate::report::Outcome;

/// Runs the breach.
pub fn run(breach: &str) -> Outcome {
    match breach {
        "registers" => registers::run(),
        "broken" => balloon::broken(),
        "endless" => balloon::endless(),
        _ => breaches::run(breach),
    }
}
