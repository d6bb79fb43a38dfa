//! What is measured, beside what, and the bounds that are to be kept.

use super::samples::Samples;

/// What a value may be at most.
#[derive(Clone, Copy, Debug)]
enum Bound {
    /// Nothing is promised.
    None,
    /// A number.
    Most(f64),
    /// So many times the bare kernel's, plus a number.
    OfBare(f64, f64),
    /// So many times KVM's.
    OfKvm(f64),
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
    kind("cpuid", "exit: CPUID", "us", 1e3, Bound::OfKvm(0.4)),
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
    kind("dom0_shell", "power-on to dom0's shell", "s", 1e3, Bound::OfBare(1.5, 1.0)),
    kind("guest_boot", "Linux guest: create to user space", "s", 1e3, Bound::OfKvm(1.0)),
    kind("image_text", "image: code and constants", "KiB", 1.0, Bound::Most(1024.0)),
    kind("image_memory", "image: memory when loaded", "KiB", 1.0, Bound::None),
    kind("tables_bytes", "tables for a GiB of guest memory", "KiB", 1024.0, Bound::None),
    kind("tables", "tables, part of guest memory", "%", 1.0, Bound::Most(0.5)),
];

/// What became of a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// There is none.
    Unbound,
    /// The value is within it.
    Kept,
    /// The value is beyond it.
    Broken,
    /// Our value, or the peer's, was not measured.
    Missing,
    /// The peer was left out on request, so nobody knows.
    LeftOut,
}

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
    /// Whether it is kept.
    pub verdict: Verdict,
}

/// All results; without KVM (`with_kvm`) the bounds that depend on it are left out.
pub fn all(ours: &Samples, peer: &Samples, with_kvm: bool) -> Vec<Measurement> {
    KINDS.iter().map(|kind| one(kind, ours, peer, with_kvm)).collect()
}

fn one(kind: &Kind, ours: &Samples, peer: &Samples, with_kvm: bool) -> Measurement {
    let scaled = |samples: &Samples| samples.median(kind.name).map(|value| value / kind.scale);
    let spread = |samples: &Samples| samples.spread(kind.name).map(|(a, b)| (a / kind.scale, b / kind.scale));
    let (ours_spread, peer_spread) = (spread(ours), spread(peer));
    let (ours, peer) = (scaled(ours), scaled(peer));
    let bound = match kind.bound {
        Bound::None => None,
        Bound::Most(most) => Some(most),
        Bound::OfBare(times, plus) => peer.map(|peer| peer * times + plus),
        Bound::OfKvm(times) => peer.map(|peer| peer * times),
    };
    let verdict = match (kind.bound, ours, bound) {
        (Bound::None, ..) => Verdict::Unbound,
        (Bound::OfKvm(_), Some(_), None) if !with_kvm => Verdict::LeftOut,
        (_, Some(ours), Some(bound)) if ours <= bound => Verdict::Kept,
        (_, Some(_), Some(_)) => Verdict::Broken,
        _ => Verdict::Missing,
    };
    Measurement {
        name: kind.name,
        title: kind.title,
        unit: kind.unit,
        ours,
        ours_spread,
        peer,
        peer_spread,
        bound,
        verdict,
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
        let verdict = |ours: &Samples, peer: &Samples, name: &str, with_kvm: bool| {
            let results = all(ours, peer, with_kvm);
            results.iter().find(|result| result.name == name).unwrap().verdict
        };
        assert_eq!(verdict(&ours, &peer, "cpuid", true), Verdict::Kept);
        assert_eq!(verdict(&ours, &peer, "port", true), Verdict::Unbound);
        assert_eq!(verdict(&ours, &Samples::default(), "cpuid", false), Verdict::LeftOut);
        ours.add("cpuid", 12_000.0);
        assert_eq!(verdict(&ours, &peer, "cpuid", true), Verdict::Broken);
    }

    #[test]
    fn what_was_not_measured_is_missing() {
        let (mut ours, none) = (Samples::default(), Samples::default());
        for result in all(&none, &none, true) {
            assert!([Verdict::Missing, Verdict::Unbound].contains(&result.verdict), "{}", result.name);
        }
        ours.add("cpuid", 11_000.0);
        ours.add("dom0_shell", 5_000.0);
        for (results, name) in [(all(&ours, &none, true), "cpuid"), (all(&ours, &none, false), "dom0_shell")] {
            assert_eq!(results.iter().find(|result| result.name == name).unwrap().verdict, Verdict::Missing);
        }
        assert!(all(&none, &none, false).iter().all(|result| result.verdict != Verdict::LeftOut));
    }
}
