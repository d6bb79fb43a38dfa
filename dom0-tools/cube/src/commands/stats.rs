//! `cube stats`.

use crate::client::{Client, Result, unexpected};
use crate::output::Output;
use crate::table::{pairs, table};
use crate::units::{known, size, time};
use protocol::{DeviceStats, Payload, Request, Stats};
use std::io::IsTerminal;
use std::thread::sleep;
use std::time::Duration;

/// Counters of one domain or of all, once or again and again.
pub fn stats(out: &mut Output, mut client: Client, name: Option<&str>, watch: Option<u64>) -> Result<()> {
    let mut before: Vec<Stats> = Vec::new();
    loop {
        let payload = client.call(Request::Stats { name: name.map(str::to_owned) })?;
        let Payload::Stats { stats } = &payload else { return Err(unexpected(&payload)) };
        if watch.is_some() && !out.is_json() && std::io::stdout().is_terminal() {
            out.raw(b"\x1b[H\x1b[2J");
        }
        out.put(&payload, || match stats.as_slice() {
            [one] if name.is_some() => details(one),
            all => overview(all, &before),
        });
        let Some(seconds) = watch else { return Ok(()) };
        before.clone_from(stats);
        sleep(Duration::from_secs(seconds.max(1)));
    }
}

/// One line a domain; CPU and rates are since the sample before, or since the start.
fn overview(all: &[Stats], before: &[Stats]) -> String {
    let heading = [
        "NAME",
        ">CPU",
        ">RESIDENT",
        ">SWAPPED",
        ">SWAP-IN",
        ">FOR WRITES",
        ">OUT",
        ">R1",
        ">R2",
        ">R3",
        ">WORST WAIT",
        ">EXITS",
    ];
    let row = |s: &Stats| {
        let earlier = before.iter().find(|b| b.id == s.id);
        vec![
            s.name.clone(),
            earlier.map_or_else(
                || "-".to_owned(),
                |b| percent(s.cpu_time_ns - b.cpu_time_ns.min(s.cpu_time_ns), s.time_ns.saturating_sub(b.time_ns)),
            ),
            size(s.memory.resident_bytes),
            size(s.memory.swapped_bytes),
            s.counters.swap_in.to_string(),
            s.counters.swap_in_for_write.to_string(),
            size(s.counters.swap_out_bytes),
            known(s.counters.r1_hits),
            s.counters.r2_drops.to_string(),
            s.counters.r3_fresh.to_string(),
            time(s.counters.worst_wait_ns),
            s.exits.total().to_string(),
        ]
    };
    table(&heading, all.iter().map(row).collect())
}

fn percent(part: u64, whole: u64) -> String {
    let tenths = u128::from(part) * 1000 / u128::from(whole.max(1));
    format!("{}.{}%", tenths / 10, tenths % 10)
}

/// All counters of one domain, under the names that they have in JSON.
fn details(s: &Stats) -> String {
    let (c, e, m) = (&s.counters, &s.exits, &s.memory);
    let rows = [
        ("cpu_time", time(s.cpu_time_ns)),
        ("live_requests", s.live_requests.to_string()),
        ("resident", format!("{} (limit {})", size(m.resident_bytes), size(m.limit_bytes))),
        ("swapped", size(m.swapped_bytes)),
        ("ballooned", format!("{} (target {})", size(m.ballooned_bytes), size(m.balloon_target_bytes))),
        ("in_flight", size(m.in_flight_bytes)),
        ("demand_zero", c.demand_zero.to_string()),
        ("swap_in", c.swap_in.to_string()),
        ("swap_in_for_io", c.swap_in_for_io.to_string()),
        ("swap_in_for_write", c.swap_in_for_write.to_string()),
        ("swap_in_around", c.swap_in_around.to_string()),
        ("swap_out_bytes", size(c.swap_out_bytes)),
        ("zero_drops", c.zero_drops.to_string()),
        ("cancelled", c.cancelled.to_string()),
        ("r1_offers", c.r1_offers.to_string()),
        ("r1_hits", known(c.r1_hits)),
        ("r1_copies", known(c.r1_copies)),
        ("r2_drops", c.r2_drops.to_string()),
        ("r3_fresh", c.r3_fresh.to_string()),
        ("preserved", known(c.preserved)),
        ("large_pages", c.large_pages.to_string()),
        ("merges", c.merges.to_string()),
        ("splits", c.splits.to_string()),
        ("false_reads_avoided", known(c.false_reads_avoided)),
        ("ref_lbas", known(c.ref_lbas)),
        ("runs_per_guest_read", known(c.runs_per_guest_read.map(|runs| format!("{runs:.2}")))),
        ("defrag_moved", known(c.defrag_moved)),
        ("resolve_all_ms", known(c.resolve_all_ms)),
        ("worst_wait", time(c.worst_wait_ns)),
        ("total_wait", time(c.total_wait_ns)),
        (
            "exits",
            format!(
                "{} (cpuid {}, msr {}, port {}, halt {}, hypercall {}, mmio {}, fault {}, interrupt {}, window {}, other {})",
                e.total(),
                e.cpuid,
                e.msr,
                e.port,
                e.halt,
                e.hypercall,
                e.mmio,
                e.fault,
                e.interrupt,
                e.window,
                e.other
            ),
        ),
    ];
    let mut text = pairs(&rows);
    if !s.devices.is_empty() {
        let heading =
            [">SLOT", "DEVICE", "SERIAL", ">READS", ">READ", ">WRITES", ">WRITTEN", ">FLUSHES", ">DISCARDS", ">ERRORS"];
        text.push_str("\n\n");
        text.push_str(&table(&heading, s.devices.iter().map(device).collect()));
    }
    text
}

fn device(device: &DeviceStats) -> Vec<String> {
    let c = &device.counters;
    vec![
        device.slot.to_string(),
        super::list::word(&device.kind),
        device.serial.clone().unwrap_or_default(),
        c.reads.to_string(),
        size(c.read_bytes),
        c.writes.to_string(),
        size(c.write_bytes),
        c.flushes.to_string(),
        c.discards.to_string(),
        c.errors.to_string(),
    ]
}
