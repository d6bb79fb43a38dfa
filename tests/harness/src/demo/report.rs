//! The demo's table, its JSON and its picture.

use super::{Run, script};
use crate::{
    disk_model::Model,
    lab::picture::{Panel, draw},
};
use anyhow::{Result, bail};
use serde_json::{Value, json};
use std::{fs, path::Path, process::ExitCode};

/// A row: what it is, and its value for a run.
type Row = (&'static str, fn(&Run) -> f64);

const ROWS: [Row; 13] = [
    ("pages visited a second", |run| run.record.throughput()),
    ("worst pause, ms", |run| run.record.worst_ms),
    ("swap-ins by touch", |run| run.record.counter("swap_in") as f64),
    ("swap-ins for guest writes", |run| run.record.counter("swap_in_for_write") as f64),
    ("swap-ins for guest reads", for_reads),
    ("swapped out by copy, MiB", |run| mebibytes(run.record.counter("swap_out_bytes"))),
    ("R1: writes as references", |run| run.record.counter("r1_hits") as f64),
    ("R1: copied disk to disk instead", |run| run.record.counter("r1_copies") as f64),
    ("R2: drops without a copy", |run| run.record.counter("r2_drops") as f64),
    ("R3: reads into fresh frames", |run| run.record.counter("r3_fresh") as f64),
    ("disk: MiB read", |run| mebibytes(run.disk.read_bytes)),
    ("disk: MiB written", |run| mebibytes(run.disk.written_bytes)),
    ("disk: seconds busy", |run| run.disk.busy_us as f64 / 1e6),
];

/// Of the pages that the guest's I/O brought, those that no write asked for.
fn for_reads(run: &Run) -> f64 {
    run.record.counter("swap_in_for_io").saturating_sub(run.record.counter("swap_in_for_write")) as f64
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Prints the table and writes the files. The demo succeeds if what it is to show is shown.
pub fn show(folder: &Path, model: Model, runs: &[Run]) -> Result<ExitCode> {
    println!("\n{:<34}{}", "reconciliation", runs.iter().map(|run| format!("{:>12}", run.name)).collect::<String>());
    for (name, value) in ROWS {
        let cells: String = runs.iter().map(|run| format!("{:>12.1}", value(run))).collect();
        println!("{name:<34}{cells}");
    }
    let (data, picture) = (folder.join("demo.json"), folder.join("demo.svg"));
    fs::write(&data, serde_json::to_string_pretty(&to_json(model, runs))?)?;
    draw(&picture, &panels(runs))?;
    println!("\nnumbers: {}\npicture: {}", data.display(), picture.display());
    let sum = |name: &str, counter: &str| -> u64 {
        runs.iter().filter(|run| run.name == name).map(|run| run.record.counter(counter)).sum()
    };
    verdict(sum("off", "swap_in_for_write"), sum("on", "swap_in_for_write"), sum("on", "r1_hits"))?;
    println!("with reconciliation the guest's memory took no page back only to have it written elsewhere");
    Ok(ExitCode::SUCCESS)
}

/// Whether the demo showed what it is to show: pages that were read back for the guest's writes `before`,
/// none `left` with reconciliation, and `hits` that became references.
fn verdict(before: u64, left: u64, hits: u64) -> Result<()> {
    if before == 0 {
        bail!(
            "without reconciliation no page was read back for a guest's write, so there was nothing to save: the guest \
             was too slow to swap twice; run the demo longer (--seconds 120), or while the host does nothing else"
        );
    }
    if left > 0 || hits == 0 {
        bail!(
            "with reconciliation {left} pages were still read back for guest writes, and {hits} became references: that \
             is a bug; demo.json has all counters for the report of it"
        );
    }
    Ok(())
}

fn to_json(model: Model, runs: &[Run]) -> Value {
    let run = |run: &Run| {
        let rows: serde_json::Map<String, Value> =
            ROWS.iter().map(|(name, value)| ((*name).to_owned(), json!(value(run)))).collect();
        json!({ "reconciliation": run.name, "rows": rows, "pace": run.record.pace, "stats": run.record.stats, "disk": run.disk })
    };
    json!({ "schema": 1, "guest": script::describe(), "disk": model, "runs": runs.iter().map(run).collect::<Vec<_>>() })
}

fn panels(runs: &[Run]) -> Vec<Panel> {
    let series = runs.iter().map(|run| (format!("reconciliation {}", run.name), run.record.pace.clone())).collect();
    let bars = |title: &str, value: fn(&Run) -> f64| Panel::Bars {
        title: title.to_owned(),
        bars: runs.iter().map(|run| (format!("reconciliation {}", run.name), value(run))).collect(),
    };
    vec![
        Panel::Lines {
            title: "Pages that the guest's program visits".to_owned(),
            axes: ("seconds", "pages a second"),
            series,
        },
        bars("Pages read back only because the guest wrote them to its disk", |run| {
            run.record.counter("swap_in_for_write") as f64
        }),
        bars("MiB moved to and from the disk", |run| mebibytes(run.disk.read_bytes + run.disk.written_bytes)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_to_save_is_no_success() {
        assert!(verdict(7, 0, 9).is_ok());
        for (before, left, hits) in [(0, 0, 9), (7, 1, 9), (7, 0, 0)] {
            assert!(verdict(before, left, hits).is_err(), "{before} {left} {hits}");
        }
    }
}
