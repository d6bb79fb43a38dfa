//! Commands that change a domain's state and have nothing to show.

use crate::client::{Client, Result, unexpected};
use crate::output::Output;
use protocol::{Exit, Payload, Request};

/// A call that is answered by Done: silent on success.
pub fn act(out: &mut Output, mut client: Client, request: Request) -> Result<()> {
    let payload = client.call(request)?;
    match payload {
        Payload::Done => {
            out.put(&payload, String::new);
            Ok(())
        }
        other => Err(unexpected(&other)),
    }
}

/// A call that is answered when the domain has ended; a fault has an exit status of its own.
pub fn until_ended(out: &mut Output, mut client: Client, request: Request) -> Result<Exit> {
    let payload = client.call(request)?;
    let Payload::Ended { name, reason, detail, .. } = &payload else { return Err(unexpected(&payload)) };
    out.put(&payload, || format!("{name} has ended: {}", reason.text(*detail)));
    Ok(if reason.is_fault(*detail) { Exit::Crashed } else { Exit::Ok })
}
