//! `cube store`.

use crate::client::{Client, Result, unexpected};
use crate::output::Output;
use crate::table::{pairs, table};
use crate::units::size;
use protocol::{Journal, Payload, Request, Store, StoreDisk};

/// The swap store.
pub fn store(out: &mut Output, mut client: Client) -> Result<()> {
    let payload = client.call(Request::Store)?;
    let Payload::Store(store) = &payload else { return Err(unexpected(&payload)) };
    out.put(&payload, || text(store));
    Ok(())
}

fn text(store: &Store) -> String {
    let journal = match store.journal {
        Journal::Well => "well",
        Journal::Failing => "failing: blocks are copied home instead of being referred to; see cubed's log",
    };
    let mut text = pairs(&[
        ("path", store.path.display().to_string()),
        ("size", size(store.size_bytes)),
        ("used", size(store.used_bytes)),
        ("free", size(store.free_bytes)),
        ("broken", size(store.broken_bytes)),
        ("references", format!("{} from pages, {} from disks", store.page_references, store.disk_references)),
        ("read", size(store.read_bytes)),
        ("written", format!("{}, of that {} of journal", size(store.write_bytes), size(store.journal_bytes))),
        ("commits", store.commits.to_string()),
        ("copied home", format!("{} blocks", store.resolved)),
        ("full", store.full.to_string()),
        ("errors", store.errors.to_string()),
        ("journal", journal.to_owned()),
    ]);
    if !store.disks.is_empty() {
        text.push_str("\n\n");
        text.push_str(&table(&[">REFERENCES", "DOMAINS", "DISK"], store.disks.iter().map(disk).collect()));
    }
    text
}

fn disk(disk: &StoreDisk) -> Vec<String> {
    let domains: Vec<String> = disk.domains.iter().map(ToString::to_string).collect();
    let users = match (domains.is_empty(), disk.resolving) {
        (false, _) => domains.join(" "),
        (true, true) => "none, being copied home".to_owned(),
        (true, false) => "none".to_owned(),
    };
    vec![disk.references.to_string(), users, disk.path.display().to_string()]
}
