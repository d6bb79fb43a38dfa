//! The benchmark's table, JSON and picture.

use super::{
    measurement::{Measurement, Verdict},
    samples::Samples,
};
use crate::lab::picture::{Panel, draw};
use anyhow::Result;
use serde_json::json;
use std::{fs, path::Path, process::ExitCode};

/// Prints and writes. A bound that is not kept, or that nobody could check, is a failure.
pub fn show(folder: &Path, results: &[Measurement], ours: &Samples, peer: &Samples) -> Result<ExitCode> {
    println!("\n{:<38}{:>4}{:>26}{:>26}{:>10}", "", "", "Hypercube", "peer", "at most");
    for result in results {
        let bound = result.bound.map_or("-".to_owned(), |bound| format!("{bound:.2}"));
        let verdict = match result.verdict {
            Verdict::Unbound => "",
            Verdict::Kept => "  kept",
            Verdict::Broken => "  NOT KEPT",
            Verdict::Missing => "  MISSING",
            Verdict::LeftOut => "  left out",
        };
        println!(
            "{:<38}{:>4}{:>26}{:>26}{bound:>10}{verdict}",
            result.title,
            result.unit,
            cell(result.ours, result.ours_spread),
            cell(result.peer, result.peer_spread),
        );
    }
    println!("peer: the same kernel without a hypervisor (dom0's shell), KVM with QEMU's microvm (the rest)");
    let (data, picture) = (folder.join("bench.json"), folder.join("bench.svg"));
    let value = json!({ "schema": 1, "results": results, "samples": { "ours": ours, "peer": peer } });
    fs::write(&data, serde_json::to_string_pretty(&value)?)?;
    draw(&picture, &panels(results))?;
    println!("\nnumbers: {}\npicture: {}", data.display(), picture.display());
    let is_bad = |result: &Measurement| matches!(result.verdict, Verdict::Broken | Verdict::Missing);
    Ok(if results.iter().any(is_bad) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A median and, if there is one, its spread.
fn cell(median: Option<f64>, spread: Option<(f64, f64)>) -> String {
    match (median, spread) {
        (Some(median), Some((least, most))) if least < most => format!("{median:.2} ({least:.2}-{most:.2})"),
        (Some(median), _) => format!("{median:.2}"),
        (None, _) => "-".to_owned(),
    }
}

/// A panel for each unit: only what has the same unit can be compared.
fn panels(results: &[Measurement]) -> Vec<Panel> {
    let mut units: Vec<&str> = Vec::new();
    for result in results {
        if !units.contains(&result.unit) {
            units.push(result.unit);
        }
    }
    units.into_iter().filter_map(|unit| panel(results, unit)).collect()
}

/// What was measured in this unit, if anything was.
fn panel(results: &[Measurement], unit: &str) -> Option<Panel> {
    let bars = results.iter().filter(|result| result.unit == unit).flat_map(|result| {
        let ours = result.ours.map(|value| (result.title.to_owned(), value));
        let peer = result.peer.map(|value| ("  peer".to_owned(), value));
        ours.into_iter().chain(peer)
    });
    let title = match unit {
        "us" => "microseconds",
        "ms" => "milliseconds",
        "s" => "seconds",
        "%" => "per cent",
        "" => "how many",
        other => other,
    };
    let bars: Vec<_> = bars.collect();
    (!bars.is_empty()).then(|| Panel::Bars { title: title.to_owned(), bars })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::bench::measurement;

    fn samples(values: &[(&str, f64)]) -> Samples {
        let mut samples = Samples::default();
        values.iter().for_each(|(name, value)| samples.add(name, *value));
        samples
    }

    #[test]
    fn all_that_was_measured_is_in_the_picture() {
        let ours = samples(&[
            ("cpuid", 11_000.0),
            ("swap_in", 620_000.0),
            ("swap_in_worst", 41_000_000.0),
            ("swap_faults", 1.04),
            ("dom0_shell", 9_300.0),
            ("image_text", 701.0),
            ("tables_bytes", 4_718_592.0),
            ("tables", 0.44),
        ]);
        let peer = samples(&[("cpuid", 28_000.0), ("dom0_shell", 8_100.0)]);
        let results = measurement::all(&ours, &peer, true);
        let shown: Vec<String> = panels(&results)
            .into_iter()
            .flat_map(|panel| match panel {
                Panel::Bars { title, bars } => {
                    bars.into_iter().map(move |(name, value)| format!("{title}: {name} {value}"))
                }
                Panel::Lines { title, .. } => panic!("{title}"),
            })
            .collect();
        assert_eq!(
            shown,
            [
                "microseconds: exit: CPUID 11",
                "microseconds:   peer 28",
                "microseconds: swap-in, the vCPU's wait, mean 620",
                "milliseconds: swap-in, the worst wait 41",
                "how many: faults for each page that was needed 1.04",
                "seconds: power-on to dom0's shell 9.3",
                "seconds:   peer 8.1",
                "KiB: image: code and constants 701",
                "KiB: tables for a GiB of guest memory 4608",
                "per cent: tables, part of guest memory 0.44",
            ]
        );
    }

    #[test]
    fn nothing_measured_is_nothing_drawn() {
        let none = Samples::default();
        assert!(panels(&measurement::all(&none, &none, true)).is_empty());
    }
}
