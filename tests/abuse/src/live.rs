//! Live requests of a guest that another daemon built: what lies outside of them must be refused, and so must be
//! whatever is for a guest that has not been started.

use abi::Error;
use abi::command::{Command, op};
use abi::platform::{VIRTIO_ENTROPY, VIRTIO_SLOTS};
use cubed::channel::event::{Event, Request};
use cubed::channel::hypervisor::{call, command};
use cubed::channel::{Channel, Hypervisor, Line};
use std::time::{Duration, Instant};

/// How long a request may be waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// Requests that are tried.
const REQUESTS: u32 = 20;

/// Devices are put into the lowest slots: here the guest has none.
const FREE_SLOT: u64 = VIRTIO_SLOTS as u64 - 1;

/// Takes live requests as they come, tries what must be refused with each, and completes it.
///
/// # Errors
/// What the hypervisor did wrong, in words.
pub fn run() -> Result<String, String> {
    let mut channel = Channel::attach(4 << 20).map_err(|error| format!("not attached: {error}"))?;
    let room = channel.pool().take(64 << 10).ok_or("no buffer")?;
    let mut good = channel.pool().take(4096).ok_or("no buffer")?;
    channel.bytes_mut(&mut good).fill(0);
    let at = Places { buffer: room.physical(), status: good.physical() };
    let (mut tried, mut refused) = (0, 0);
    let start = Instant::now();
    while tried < REQUESTS {
        match channel.next_event() {
            Some(Event::Request(request)) => {
                refused += try_one(&mut channel, &request, &at)?;
                tried += 1;
            }
            Some(_) => {}
            None if start.elapsed() > PATIENCE => return Err(format!("{tried} requests in {PATIENCE:?}")),
            // A doorbell, which lets the hypervisor post what waits.
            None => drop(call(&mut channel, command::<0>(op::NOP, 0, []))),
        }
    }
    channel.detach();
    Ok(format!("{{\"abuse\":\"live\",\"requests\":{tried},\"refused\":{refused}}}"))
}

/// Buffers of ours, by their physical addresses.
struct Places {
    /// For anything.
    buffer: u64,
    /// A block device's status: it went well.
    status: u64,
}

/// How much was refused.
fn try_one(channel: &mut Channel, request: &Request, at: &Places) -> Result<u32, String> {
    let (id, readable, writable) = (request.id, request.readable, request.writable);
    let buffer = at.buffer;
    let make = |op: u32, args: [u64; 4]| command(op, request.domain, args);
    let outside = [
        make(op::COPY_OUT, [id, readable, buffer, 1]),
        make(op::COPY_OUT, [id, 0, buffer, readable + 1]),
        make(op::COPY_OUT, [id, u64::MAX, buffer, 2]),
        make(op::COPY_IN, [id, writable, buffer, 1]),
        make(op::COPY_IN, [id, 0, buffer, writable + 1]),
        make(op::COPY_IN, [id, u64::MAX - 3, buffer, 8]),
        make(op::COMPLETE, [id, writable + 1, 0, 0]),
    ];
    let gone = [
        make(op::COPY_OUT, [id, 0, buffer, readable.min(16)]),
        make(op::COPY_IN, [id, 0, buffer, writable.min(1)]),
        make(op::COMPLETE, [id, 0, 0, 0]),
    ];
    let elsewhere = gone.map(|sound| Command { domain: request.domain + 1, ..sound });
    let unknown = gone.map(|sound| Command { args: [u64::MAX - 7, 0, buffer, 1, 0], ..sound });
    // Pages of it that are in memory: they leave when the hypervisor says so, and not before.
    let pages: Vec<Command> =
        request.segments.iter().map(|segment| make(op::COPY_PAGE, [segment.page, buffer, 0, 0])).collect();
    // dom0 reaches a guest's memory and devices until its start and never again.
    let built = [
        make(op::LOAD, [0, buffer, 1, 0]),
        command(op::ADD_DEVICE, request.domain, [FREE_SLOT, VIRTIO_ENTROPY.into(), 1 | 64 << 16, 0, buffer]),
        make(op::SET_BOOT_STATE, [buffer, 0, 0, 0]),
    ];
    let mut count = refuse(channel, &outside, Error::OutsideRequest)?;
    count += refuse(channel, &built, Error::State)?;
    count += refuse(channel, &elsewhere, Error::NotFound)? + refuse(channel, &unknown, Error::NotFound)?;
    count += refuse(channel, &pages, Error::Cancelled)?;
    // What lies inside is done: the same commands are refused for what they ask, not altogether.
    let sound = [
        make(op::COPY_OUT, [id, 0, buffer, readable.min(16)]),
        make(op::COPY_IN, [id, writable.saturating_sub(1), at.status, 1]),
        make(op::COMPLETE, [id, 1, 0, 0]),
    ];
    for one in sound {
        call(channel, one).map_err(|error| format!("{one:?}: {error}"))?;
    }
    Ok(count + refuse(channel, &gone, Error::NotFound)?)
}

fn refuse(channel: &mut Channel, commands: &[Command], with: Error) -> Result<u32, String> {
    let mut worked = commands.to_vec();
    channel.submit(&mut worked).map_err(|lost| lost.to_string())?;
    for (sent, command) in commands.iter().zip(&worked) {
        if command.result >= 0 || Error::from_code(command.result) != with {
            return Err(format!("{sent:?} was answered with {} in place of {with:?}", command.result));
        }
    }
    Ok(commands.len().try_into().unwrap_or(u32::MAX))
}
