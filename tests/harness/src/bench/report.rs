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
    draw(&picture, &[panel(results, "us"), panel(results, "s")])?;
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

fn panel(results: &[Measurement], unit: &str) -> Panel {
    let bars = results.iter().filter(|result| result.unit == unit).flat_map(|result| {
        let ours = result.ours.map(|value| (result.title.to_owned(), value));
        let peer = result.peer.map(|value| ("  peer".to_owned(), value));
        ours.into_iter().chain(peer)
    });
    let title = if unit == "us" { "microseconds" } else { "seconds" };
    Panel::Bars { title: title.to_owned(), bars: bars.collect() }
}
