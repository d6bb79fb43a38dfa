//! `cube create`.

use crate::client::{Client, Result, unexpected};
use crate::output::Output;
use domain_builder::config;
use protocol::{ErrorCode, Failure, Payload, Request, Source};
use std::path::{Path, absolute};

/// Sends the file's text, so that it is clear whose reading counts; paths in it are relative to its folder.
pub fn create(out: &mut Output, connect: impl FnOnce() -> Result<Client>, file: &Path, paused: bool) -> Result<()> {
    let text = config::text(file).map_err(Failure::bad_file)?;
    let file = absolute(file).map_err(|error| {
        Failure::new(ErrorCode::Failed, format!("{}: {error}", file.display()), "give an absolute path")
    })?;
    let payload = connect()?.call(Request::Create { source: Source::Text { text, file }, paused })?;
    let Payload::Created { id, name } = &payload else { return Err(unexpected(&payload)) };
    let state = if paused { "created, not started" } else { "started" };
    out.put(&payload, || format!("{name} is {state}, with identifier {id}"));
    Ok(())
}
