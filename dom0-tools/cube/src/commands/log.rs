//! `cube dmesg`.

use crate::client::{Client, Result, unexpected};
use crate::output::Output;
use protocol::{Payload, Request};

/// The hypervisor's log: without `follow` it is asked for until nothing is new, so that a daemon
/// may answer in pieces; with it the daemon goes on by itself until it ends.
pub fn dmesg(out: &mut Output, mut client: Client, follow: bool) -> Result<()> {
    client.send(Request::Log { cursor: None, follow })?;
    while let Some(payload) = client.receive()? {
        let Payload::Log(chunk) = &payload else { return Err(unexpected(&payload)) };
        if out.is_json() {
            out.put(&payload, String::new);
        } else {
            out.raw(chunk.text.as_bytes());
        }
        if follow {
            continue;
        }
        if chunk.text.is_empty() {
            break;
        }
        client.send(Request::Log { cursor: Some(chunk.next), follow })?;
    }
    Ok(())
}
