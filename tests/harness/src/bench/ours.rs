//! One boot of Hypercube: to dom0's shell, a Linux guest, exits, memory under a limit.

use super::samples::Samples;
use crate::{
    disk_model::Model,
    lab::{Experiment, Lab, partitioned},
};
use anyhow::Result;
use serde_json::Value;
use std::{path::Path, time::Duration};

/// The time from `cube create` to the guest's own line; then the small guests, one after the other.
const SCRIPT: &str = r#"
. /share/guests.sh
linux boot "memory = '256M'" </dev/null
. /share/measure.sh
start=$(now)
cube create /root/boot.toml >/dev/null || exit 1
cube console --replay 65536 boot </dev/null | until_up guest_boot $start
cube wait boot >/dev/null
small exits 'benchmark-exits' "memory = '64M'"
run exits 120
small swap 'memory mib=56 passes=2 zero=0' "memory = '64M'" "limit = '32M'" "on_crash = 'keep'"
run swap 120
cube --json stats swap
small tables 'memory mib=248 passes=0 zero=0' "memory = '256M'" "on_crash = 'keep'"
run tables 120
cube --json stats tables
exit 0
"#;

/// Bytes of the hypervisor's record of a frame, which the counter of tables leaves out.
const RECORD: f64 = 4.0;

/// Boots once and adds what was measured.
pub fn measure(lab: &Lab<'_>, folder: &Path, samples: &mut Samples) -> Result<()> {
    let disk = partitioned(folder, 256, 16, Model::SSD)?;
    let place = disk.server.disk();
    let share = lab.tree.root.join("tests/scenarios/library");
    let dom0 = format!("--dom0-args=hypercube.store={}", disk.store);
    let words = ["--smp=2", "--disk", &place, "--share", &share.to_string_lossy(), &dom0];
    let experiment = Experiment { words: &words, script: SCRIPT, timeout: Duration::from_secs(400) };
    let ready = lab.run(&experiment, &mut |line| {
        samples.take(line);
        counters(line, samples);
    })?;
    samples.add("dom0_shell", ready.as_secs_f64() * 1000.0);
    Ok(())
}

/// What follows from the counters of the guest under a limit, and of the one that touches all of its memory.
fn counters(line: &str, samples: &mut Samples) {
    let Ok(value) = serde_json::from_str::<Value>(line) else { return };
    let stats = &value["stats"][0];
    match stats["name"].as_str() {
        Some("swap") => swap(stats, samples),
        Some("tables") => tables(&stats["memory"], samples),
        _ => {}
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().filter(|value| *value > 0.0)
}

fn swap(stats: &Value, samples: &mut Samples) {
    let counters = &stats["counters"];
    if let (Some(wait), Some(count)) = (number(&counters["total_wait_ns"]), number(&counters["swap_in"])) {
        samples.add("swap_in", wait / count);
        if let (Some(faults), Some(fresh)) = (number(&stats["exits"]["fault"]), number(&counters["demand_zero"])) {
            samples.add("swap_faults", faults / (fresh + count));
        }
    }
    if let Some(worst) = number(&counters["worst_wait_ns"]) {
        samples.add("swap_in_worst", worst);
    }
}

fn tables(memory: &Value, samples: &mut Samples) {
    if let (Some(tables), Some(all)) = (number(&memory["tables_bytes"]), number(&memory["memory_bytes"])) {
        let tables = tables + all / 4096.0 * RECORD;
        samples.add("tables", 100.0 * tables / all);
        samples.add("tables_bytes", f64::from(1 << 30) * tables / all);
    }
}
