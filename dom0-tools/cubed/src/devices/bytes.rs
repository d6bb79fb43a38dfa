//! Moves bytes between live requests and vectors, through a buffer.

use crate::channel::hypervisor::{Refused, call, command, value};
use crate::channel::{Hypervisor, Request};
use abi::command::{Command, op};

/// The device-readable bytes from `offset` on, at most `limit` of them.
///
/// # Errors
/// As the hypervisor refuses; [`abi::Error::NoMemory`] if no buffer is free now.
pub fn copy_out(
    hypervisor: &mut dyn Hypervisor,
    request: &Request,
    offset: u64,
    limit: usize,
) -> Result<Vec<u8>, Refused> {
    let len = usize::try_from(request.readable.saturating_sub(offset)).unwrap_or(usize::MAX).min(limit);
    let from = usize::try_from(offset).unwrap_or(usize::MAX);
    if let Some(bytes) = from.checked_add(len).and_then(|end| request.header.get(from..end)) {
        return Ok(bytes.to_vec());
    }
    let buffer = hypervisor.pool().take(len).ok_or(abi::Error::NoMemory)?;
    let args = [request.id, offset, buffer.physical(), len as u64];
    call(hypervisor, command(op::COPY_OUT, request.domain, args))?;
    Ok(hypervisor.bytes(&buffer).get(..len).unwrap_or_default().to_vec())
}

/// Puts `bytes` at the beginning of the device-writable part and completes the request.
///
/// # Errors
/// [`abi::Error::NoMemory`] if no buffer is free now: nothing was done. [`abi::Error::NotFound`] if the request is
/// gone (its device was reset). What else the hypervisor refuses is logged, for nobody can do anything about it.
pub fn answer(hypervisor: &mut dyn Hypervisor, request: &Request, bytes: &[u8]) -> Result<(), Refused> {
    answer_at(hypervisor, request, 0, bytes, bytes.len() as u64)
}

/// As [`answer`], with the bytes from byte `offset` on; the guest is told that `written` bytes were written.
///
/// # Errors
/// As [`answer`].
pub fn answer_at(
    hypervisor: &mut dyn Hypervisor,
    request: &Request,
    offset: u64,
    bytes: &[u8],
    written: u64,
) -> Result<(), Refused> {
    let mut commands = Vec::with_capacity(2);
    // Held until the commands are through.
    let mut buffer = None;
    if !bytes.is_empty() {
        let mut taken = hypervisor.pool().take(bytes.len()).ok_or(abi::Error::NoMemory)?;
        if let Some(room) = hypervisor.bytes_mut(&mut taken).get_mut(..bytes.len()) {
            room.copy_from_slice(bytes);
        }
        let args = [request.id, offset, taken.physical(), bytes.len() as u64];
        commands.push(command(op::COPY_IN, request.domain, args));
        buffer = Some(taken);
    }
    commands.push(command(op::COMPLETE, request.domain, [request.id, written, 0]));
    let answered = hypervisor.submit(&mut commands);
    drop(buffer);
    answered?;
    commands.iter().for_each(|command| look_at(command, request.slot));
    let gone = commands.iter().any(|command| value(command) == Err(abi::Error::NotFound));
    if gone { Err(abi::Error::NotFound.into()) } else { Ok(()) }
}

/// Logs what went wrong with a worked-off command for a request of the device in `slot`.
pub fn look_at(command: &Command, slot: u32) {
    match value(command) {
        // The guest reset the device, or the domain is gone.
        Ok(_) | Err(abi::Error::NotFound | abi::Error::Cancelled) => {}
        Err(error) => {
            let what = if command.op == op::COPY_IN { "its bytes were not taken" } else { "it was not completed" };
            let [request, ..] = command.args;
            tracing::error!(domain = command.domain, slot, request, error = error.text(), "a device request: {what}");
        }
    }
}
