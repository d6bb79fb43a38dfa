//! The demo's table, its JSON and its picture.

use super::Run;
use crate::{
    disk_model::Model,
    lab::picture::{Panel, draw},
    tree::Tree,
};
use anyhow::Result;
use serde_json::{Value, json};
use std::{fs, process::ExitCode};

/// A row: what it is, and its value for a run.
type Row = (&'static str, fn(&Run) -> f64);

const ROWS: [Row; 12] = [
    ("pages visited a second", |run| run.record.throughput()),
    ("worst pause, ms", |run| run.record.worst_ms),
    ("swap-ins by touch", |run| run.record.counter("swap_in") as f64),
    ("swap-ins for guest writes", |run| run.record.counter("swap_in_for_write") as f64),
    ("swap-ins for guest reads", |run| run.record.counter("swap_in_for_io") as f64),
    ("swapped out by copy, MiB", |run| mebibytes(run.record.counter("swap_out_bytes"))),
    ("R1: writes as references", |run| run.record.counter("r1_hits") as f64),
    ("R2: drops without a copy", |run| run.record.counter("r2_drops") as f64),
    ("R3: reads into fresh frames", |run| run.record.counter("r3_fresh") as f64),
    ("disk: MiB read", |run| mebibytes(run.disk.read_bytes)),
    ("disk: MiB written", |run| mebibytes(run.disk.written_bytes)),
    ("disk: seconds busy", |run| run.disk.busy_us as f64 / 1e6),
];

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Prints the table and writes the files. The demo succeeds if what it is to show is shown.
pub fn show(tree: &Tree, model: Model, runs: &[Run]) -> Result<ExitCode> {
    println!("\n{:<30}{}", "reconciliation", runs.iter().map(|run| format!("{:>12}", run.name)).collect::<String>());
    for (name, value) in ROWS {
        let cells: String = runs.iter().map(|run| format!("{:>12.1}", value(run))).collect();
        println!("{name:<30}{cells}");
    }
    let folder = tree.folder("demo")?;
    let (data, picture) = (folder.join("demo.json"), folder.join("demo.svg"));
    fs::write(&data, serde_json::to_string_pretty(&to_json(model, runs))?)?;
    draw(&picture, &panels(runs))?;
    println!("\nnumbers: {}\npicture: {}", data.display(), picture.display());
    let left: u64 = runs.iter().filter(|run| run.name == "on").map(|run| run.record.counter("swap_in_for_write")).sum();
    let hits: u64 = runs.iter().filter(|run| run.name == "on").map(|run| run.record.counter("r1_hits")).sum();
    if left == 0 && hits > 0 {
        println!("with reconciliation no page was read back only to be written elsewhere");
        return Ok(ExitCode::SUCCESS);
    }
    println!("with reconciliation {left} pages were still read back for guest writes, {hits} became references");
    Ok(ExitCode::FAILURE)
}

fn to_json(model: Model, runs: &[Run]) -> Value {
    let run = |run: &Run| {
        let rows: serde_json::Map<String, Value> =
            ROWS.iter().map(|(name, value)| ((*name).to_owned(), json!(value(run)))).collect();
        json!({ "reconciliation": run.name, "rows": rows, "pace": run.record.pace, "stats": run.record.stats, "disk": run.disk })
    };
    json!({ "schema": 1, "disk": model, "runs": runs.iter().map(run).collect::<Vec<_>>() })
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
