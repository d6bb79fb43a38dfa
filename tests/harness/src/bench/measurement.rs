//! What is measured, beside what, and the bounds that are to be kept.

use super::samples::Samples;

/// What a value may be at most.
#[derive(Clone, Copy, Debug)]
enum Bound {
    /// Nothing is promised.
    None,
    /// A number.
    Most(f64),
    /// So many times the peer's, plus a number.
    OfPeer(f64, f64),
}

struct Kind {
    name: &'static str,
    title: &'static str,
    unit: &'static str,
    /// Samples are divided by this.
    scale: f64,
    bound: Bound,
}

const fn kind(name: &'static str, title: &'static str, unit: &'static str, scale: f64, bound: Bound) -> Kind {
    Kind { name, title, unit, scale, bound }
}

const KINDS: [Kind; 18] = [
    kind("cpuid", "exit: CPUID", "us", 1e3, Bound::OfPeer(0.4, 0.0)),
    kind("port", "exit: port read", "us", 1e3, Bound::None),
    kind("mmio", "exit: device memory", "us", 1e3, Bound::None),
    kind("hypercall", "exit: hypercall", "us", 1e3, Bound::None),
    kind("msr", "exit: MSR read", "us", 1e3, Bound::None),
    kind("interrupt", "interrupt to itself", "us", 1e3, Bound::None),
    kind("halt", "halt and timer", "us", 1e3, Bound::None),
    kind("first_touch", "demand-zero fault", "us", 1e3, Bound::None),
    kind("second_touch", "touch of a present page", "us", 1e3, Bound::None),
    kind("swap_in", "swap-in, the vCPU's wait, mean", "us", 1e3, Bound::None),
    kind("swap_in_worst", "swap-in, the worst wait", "ms", 1e6, Bound::None),
    kind("swap_faults", "faults for each page that was needed", "", 1.0, Bound::None),
    kind("dom0_shell", "power-on to dom0's shell", "s", 1e3, Bound::OfPeer(1.5, 1.0)),
    kind("guest_boot", "Linux guest: create to user space", "s", 1e3, Bound::OfPeer(1.0, 0.0)),
    kind("image_text", "image: code and constants", "KiB", 1.0, Bound::Most(1024.0)),
    kind("image_memory", "image: memory when loaded", "KiB", 1.0, Bound::None),
    kind("tables_bytes", "tables for a GiB of guest memory", "KiB", 1024.0, Bound::None),
    kind("tables", "tables, part of guest memory", "%", 1.0, Bound::Most(0.5)),
];

/// A result.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Measurement {
    /// Short name.
    pub name: &'static str,
    /// In words.
    pub title: &'static str,
    /// Of all its values.
    pub unit: &'static str,
    /// Hypercube, median.
    pub ours: Option<f64>,
    /// Its least and its most.
    pub ours_spread: Option<(f64, f64)>,
    /// KVM, or the kernel without a hypervisor, median.
    pub peer: Option<f64>,
    /// Its least and its most.
    pub peer_spread: Option<(f64, f64)>,
    /// The most that is allowed.
    pub bound: Option<f64>,
}

impl Measurement {
    /// Whether the bound is kept; `None` where there is none or nothing was measured.
    pub fn is_kept(&self) -> Option<bool> {
        Some(self.ours? <= self.bound?)
    }
}

/// All results.
pub fn all(ours: &Samples, peer: &Samples) -> Vec<Measurement> {
    KINDS.iter().map(|kind| one(kind, ours, peer)).collect()
}

fn one(kind: &Kind, ours: &Samples, peer: &Samples) -> Measurement {
    let scaled = |samples: &Samples| samples.median(kind.name).map(|value| value / kind.scale);
    let spread = |samples: &Samples| samples.spread(kind.name).map(|(a, b)| (a / kind.scale, b / kind.scale));
    let (ours_spread, peer_spread) = (spread(ours), spread(peer));
    let peer = scaled(peer);
    let bound = match kind.bound {
        Bound::None => None,
        Bound::Most(most) => Some(most),
        Bound::OfPeer(times, plus) => peer.map(|peer| peer * times + plus),
    };
    Measurement {
        name: kind.name,
        title: kind.title,
        unit: kind.unit,
        ours: scaled(ours),
        ours_spread,
        peer,
        peer_spread,
        bound,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bounds_follow_the_peer() {
        let (mut ours, mut peer) = (Samples::default(), Samples::default());
        ours.add("cpuid", 11_000.0);
        peer.add("cpuid", 28_000.0);
        let results = all(&ours, &peer);
        let cpuid = results.iter().find(|result| result.name == "cpuid").unwrap();
        assert_eq!((cpuid.ours, cpuid.is_kept()), (Some(11.0), Some(true)));
        let boot = results.iter().find(|result| result.name == "dom0_shell").unwrap();
        assert_eq!(boot.is_kept(), None);
    }
}
