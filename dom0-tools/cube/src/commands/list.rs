//! `cube list`.

use crate::client::{Client, Result, unexpected};
use crate::output::Output;
use crate::table::table;
use crate::units::{size, time};
use protocol::{Payload, Reason, Request, State, Summary};
use serde::Serialize;

/// One line a domain.
pub fn list(out: &mut Output, mut client: Client) -> Result<()> {
    let payload = client.call(Request::List)?;
    let Payload::Domains { domains } = &payload else { return Err(unexpected(&payload)) };
    out.put(&payload, || {
        let heading = ["ID", "NAME", "STATE", ">VCPUS", ">MEMORY", ">LIMIT", ">RESIDENT", ">SWAPPED", ">CPU TIME"];
        table(&heading, domains.iter().map(row).collect())
    });
    Ok(())
}

fn row(domain: &Summary) -> Vec<String> {
    vec![
        domain.id.to_string(),
        domain.name.clone(),
        state(domain),
        domain.vcpus.to_string(),
        size(domain.memory_bytes),
        size(domain.limit_bytes),
        size(domain.resident_bytes),
        size(domain.swapped_bytes),
        time(domain.cpu_time_ns),
    ]
}

/// The state as a word; an ended domain with its reason.
pub fn state(domain: &Summary) -> String {
    match (domain.state, domain.reason) {
        (State::Ended, reason) if reason != Reason::None => format!("ended ({})", word(&reason)),
        (state, _) => word(&state),
    }
}

/// The word that stands for a value in JSON, so that both outputs use one vocabulary.
pub fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
