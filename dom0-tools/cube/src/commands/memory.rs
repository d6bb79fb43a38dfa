//! `cube mem show` and `cube reconcile`.

use crate::client::{Client, Result, unexpected};
use crate::output::Output;
use crate::table::{pairs, table};
use crate::units::size;
use protocol::{Memory, Payload, Reconcile, Request};
use serde::Serialize;

#[derive(Serialize)]
struct Shown<'a> {
    domains: Vec<Where<'a>>,
}

#[derive(Serialize)]
struct Where<'a> {
    id: u32,
    name: &'a str,
    #[serde(flatten)]
    memory: Memory,
}

/// Where the memory of one or all domains is.
pub fn show(out: &mut Output, mut client: Client, name: Option<&str>) -> Result<()> {
    let payload = client.call(Request::Stats { name: name.map(str::to_owned) })?;
    let Payload::Stats { stats } = &payload else { return Err(unexpected(&payload)) };
    let domains = stats.iter().map(|s| Where { id: s.id, name: &s.name, memory: s.memory }).collect();
    let shown = Shown { domains };
    out.put(&shown, || {
        let heading = [
            "NAME",
            ">MEMORY",
            ">LIMIT",
            ">RESIDENT",
            ">SWAPPED",
            ">BALLOON",
            ">TARGET",
            ">IN FLIGHT",
            ">UNTOUCHED",
            ">TABLES",
        ];
        table(&heading, shown.domains.iter().map(row).collect())
    });
    Ok(())
}

fn row(domain: &Where) -> Vec<String> {
    let m = &domain.memory;
    let elsewhere = [m.resident_bytes, m.swapped_bytes, m.ballooned_bytes, m.in_flight_bytes];
    let untouched = elsewhere.into_iter().fold(m.memory_bytes, u64::saturating_sub);
    let sizes = [
        m.memory_bytes,
        m.limit_bytes,
        m.resident_bytes,
        m.swapped_bytes,
        m.ballooned_bytes,
        m.balloon_target_bytes,
        m.in_flight_bytes,
        untouched,
        m.tables_bytes,
    ];
    std::iter::once(domain.name.to_owned()).chain(sizes.map(size)).collect()
}

/// Sets the switches that are given and shows all.
pub fn reconcile(out: &mut Output, mut client: Client, name: &str, [r1, r2, r3]: [Option<bool>; 3]) -> Result<()> {
    let payload = client.call(Request::SetReconcile { name: name.to_owned(), r1, r2, r3 })?;
    let Payload::Reconcile(Reconcile { r1, r2, r3 }) = &payload else { return Err(unexpected(&payload)) };
    let word = |on: &bool| if *on { "on" } else { "off" }.to_owned();
    out.put(&payload, || {
        pairs(&[
            ("r1", format!("{:3}  block writes of swapped pages become references", word(r1))),
            ("r2", format!("{:3}  clean pages are dropped without a write", word(r2))),
            ("r3", format!("{:3}  block reads into swapped pages get fresh frames", word(r3))),
        ])
    });
    Ok(())
}
