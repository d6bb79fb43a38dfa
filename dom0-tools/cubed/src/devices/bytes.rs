//! Moves bytes between live requests and vectors, through a buffer.

use crate::channel::hypervisor::{Refused, call, command};
use crate::channel::{Hypervisor, Request};
use abi::command::op;

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

/// Puts `bytes` at `offset` of the device-writable part and completes the request.
///
/// # Errors
/// As [`copy_out`]. A request that is gone (its device was reset) is no error.
pub fn answer(hypervisor: &mut dyn Hypervisor, request: &Request, bytes: &[u8]) -> Result<(), Refused> {
    let mut commands = Vec::with_capacity(2);
    // Held until the commands are through.
    let mut buffer = None;
    if !bytes.is_empty() {
        let mut taken = hypervisor.pool().take(bytes.len()).ok_or(abi::Error::NoMemory)?;
        if let Some(room) = hypervisor.bytes_mut(&mut taken).get_mut(..bytes.len()) {
            room.copy_from_slice(bytes);
        }
        commands.push(command(op::COPY_IN, request.domain, [request.id, 0, taken.physical(), bytes.len() as u64]));
        buffer = Some(taken);
    }
    commands.push(command(op::COMPLETE, request.domain, [request.id, bytes.len() as u64, 0]));
    let answered = hypervisor.submit(&mut commands);
    drop(buffer);
    answered?;
    Ok(())
}
