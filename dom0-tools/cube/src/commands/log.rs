//! `cube dmesg` and `cube trace`.

use crate::client::{Client, Result, unexpected};
use crate::output::Output;
use protocol::{Payload, Request, TraceEntry};

/// The hypervisor's log.
pub fn dmesg(out: &mut Output, mut client: Client, follow: bool) -> Result<()> {
    pages(out, &mut client, follow, |cursor| Request::Log { cursor, follow })
}

/// The hypervisor's trace.
pub fn trace(out: &mut Output, mut client: Client, follow: bool) -> Result<()> {
    pages(out, &mut client, follow, |cursor| Request::Trace { cursor, follow })
}

/// Prints what there is: without `follow` it is asked for until nothing is new, so that a daemon
/// may answer in pieces; with it the daemon goes on by itself until it ends.
fn pages(out: &mut Output, client: &mut Client, follow: bool, request: impl Fn(Option<u64>) -> Request) -> Result<()> {
    client.send(request(None))?;
    while let Some(payload) = client.receive()? {
        let (next, more) = match &payload {
            Payload::Log(chunk) => {
                if out.is_json() {
                    out.put(&payload, String::new);
                } else {
                    out.raw(chunk.text.as_bytes());
                }
                (chunk.next, !chunk.text.is_empty())
            }
            Payload::Trace(chunk) => {
                out.put(&payload, || chunk.records.iter().map(line).collect::<Vec<_>>().join("\n"));
                (chunk.next, !chunk.records.is_empty())
            }
            other => return Err(unexpected(other)),
        };
        if follow {
            continue;
        }
        if !more {
            break;
        }
        client.send(request(Some(next)))?;
    }
    Ok(())
}

fn line(record: &TraceEntry) -> String {
    let [a, b] = record.args;
    format!("{:>16} cpu{} {}.{} {:#06x} {a:#x} {b:#x}", record.tsc, record.cpu, record.domain, record.vcpu, record.kind)
}
