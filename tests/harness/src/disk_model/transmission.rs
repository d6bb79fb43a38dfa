//! The second half of the NBD protocol: requests, served one after the other at the model's pace.

use super::{Counts, Model, negotiation::read};
use anyhow::{Result, bail};
use std::{
    fs::File,
    io::{Read, Write},
    os::unix::fs::FileExt,
    sync::{Mutex, PoisonError},
    thread::sleep,
    time::Instant,
};

const REQUEST_MAGIC: u32 = 0x2560_9513;
const REPLY_MAGIC: u32 = 0x6744_6698;
/// Longest request; QEMU splits at this.
const MOST: u32 = 32 << 20;
/// Bad request (EINVAL).
const INVALID: u32 = 22;

/// Commands (`NBD_CMD_*`).
mod command {
    pub const READ: u16 = 0;
    pub const WRITE: u16 = 1;
    pub const DISCONNECT: u16 = 2;
    pub const FLUSH: u16 = 3;
    pub const TRIM: u16 = 4;
}

/// The disk behind a connection.
pub struct Disk<'a> {
    /// Its content.
    pub file: File,
    /// Its size in bytes.
    pub size: u64,
    /// What requests cost.
    pub model: Model,
    /// What was done.
    pub counts: &'a Mutex<Counts>,
    /// Where the last request ended.
    pub head: u64,
}

/// Serves requests until the client leaves.
pub fn serve(client: &mut (impl Read + Write), disk: &mut Disk<'_>) -> Result<()> {
    let mut data = Vec::new();
    loop {
        let start = u32::from_be_bytes(read(client)?);
        let begun = Instant::now();
        if start != REQUEST_MAGIC {
            bail!("a request does not start like one");
        }
        let _flags = read::<2>(client)?;
        let command = u16::from_be_bytes(read(client)?);
        let cookie = read::<8>(client)?;
        let offset = u64::from_be_bytes(read(client)?);
        let length = u32::from_be_bytes(read(client)?);
        if command == command::DISCONNECT {
            return Ok(());
        }
        let moves = matches!(command, command::READ | command::WRITE);
        if moves && length > MOST {
            bail!("a request of {length} bytes");
        }
        data.resize(if moves { length as usize } else { 0 }, 0);
        if command == command::WRITE {
            client.read_exact(&mut data)?;
        }
        let error = disk.obey(command, offset, length, &mut data)?;
        if moves && error == 0 {
            disk.take_time(command, offset, length.into(), begun);
        }
        client.write_all(&REPLY_MAGIC.to_be_bytes())?;
        client.write_all(&error.to_be_bytes())?;
        client.write_all(&cookie)?;
        if command == command::READ && error == 0 {
            client.write_all(&data)?;
        }
    }
}

impl Disk<'_> {
    /// Moves the bytes; gives the protocol's error number.
    fn obey(&self, command: u16, offset: u64, length: u32, data: &mut [u8]) -> Result<u32> {
        let is_inside = offset.checked_add(length.into()).is_some_and(|end| end <= self.size);
        match command {
            command::READ if is_inside => self.file.read_exact_at(data, offset)?,
            command::WRITE if is_inside => self.file.write_all_at(data, offset)?,
            // The model has no cache to flush, and nothing promises what trimmed blocks read as.
            command::FLUSH | command::TRIM => {}
            _ => return Ok(INVALID),
        }
        Ok(0)
    }

    /// Counts the request and waits until it has taken as long as the model says.
    fn take_time(&mut self, command: u16, offset: u64, bytes: u64, begun: Instant) {
        let is_contiguous = offset == self.head;
        self.head = offset + bytes;
        let cost = self.model.cost(bytes, is_contiguous);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if command == command::READ {
            counts.reads += 1;
            counts.read_bytes += bytes;
        } else {
            counts.writes += 1;
            counts.written_bytes += bytes;
        }
        counts.seeks += u64::from(!is_contiguous);
        counts.busy_us += u64::try_from(cost.as_micros()).unwrap_or(u64::MAX);
        drop(counts);
        if let Some(rest) = cost.checked_sub(begun.elapsed()) {
            sleep(rest);
        }
    }
}
