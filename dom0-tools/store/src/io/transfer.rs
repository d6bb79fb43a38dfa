//! Blocking transfers: to the last byte, of any granularity.

use super::{Buffer, Fault, IoOp, Request, Volume};
use rustix::fs::{FallocateFlags, fallocate, fdatasync};
use rustix::io::{Errno, pread, pwrite};
use std::io;

/// Longest run of zeroes written at a time.
const ZEROES: usize = 1 << 20;

/// Fills `into` from byte `offset` on, which must suit the volume's granularity.
pub(crate) fn read_exact(volume: &Volume, mut offset: u64, mut into: &mut [u8]) -> io::Result<()> {
    while !into.is_empty() {
        match pread(volume.fd(), &mut *into, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => {
                into = into.get_mut(n..).unwrap_or_default();
                offset += n as u64;
            }
            Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}

/// Writes all of `from` at byte `offset`, which must suit the volume's granularity.
pub(crate) fn write_all(volume: &Volume, mut offset: u64, mut from: &[u8]) -> io::Result<()> {
    while !from.is_empty() {
        match pwrite(volume.fd(), from, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => {
                from = from.get(n..).unwrap_or_default();
                offset += n as u64;
            }
            Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}

/// Carries a request out. `fault` is a short first transfer, for tests.
pub(super) fn run(mut request: Request, fault: Option<Fault>) -> super::Completion {
    let volume = request.volume.clone();
    let (offset, direct) = (request.offset, request.direct());
    let cut = match fault {
        Some(Fault::Short(n)) => n / volume.align().max(1) * volume.align(),
        _ => 0,
    };
    let result = match &mut request.op {
        IoOp::Read(buffer) if direct => {
            let (head, tail) = buffer.bytes_mut().split_at_mut_checked(cut).unwrap_or_default();
            let at = offset + head.len() as u64;
            read_exact(&volume, offset, head).and_then(|()| read_exact(&volume, at, tail))
        }
        IoOp::Write(buffer) if direct => {
            let (head, tail) = buffer.bytes().split_at_checked(cut).unwrap_or_default();
            write_all(&volume, offset, head).and_then(|()| write_all(&volume, offset + head.len() as u64, tail))
        }
        IoOp::Read(buffer) => widened(&volume, offset, buffer.len()).and_then(|(wide, skip)| {
            let part = wide.bytes().get(skip..skip + buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
            buffer.bytes_mut().copy_from_slice(part);
            Ok(())
        }),
        IoOp::Write(buffer) => patch(&volume, offset, buffer.bytes()),
        IoOp::Zero { len, unmap } => zero(&volume, offset, *len, *unmap),
        IoOp::Sync => fdatasync(volume.fd()).map_err(Into::into),
    };
    request.done(result)
}

/// The blocks around a range, and where the range begins in them.
fn widened(volume: &Volume, offset: u64, len: usize) -> io::Result<(Buffer, usize)> {
    let align = volume.align().max(1) as u64;
    let start = offset / align * align;
    let end = (offset + len as u64).div_ceil(align) * align;
    let size = usize::try_from(end - start).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut wide = Buffer::allocate(size).ok_or(io::ErrorKind::OutOfMemory)?;
    read_exact(volume, start, wide.bytes_mut())?;
    let skip = usize::try_from(offset - start).map_err(|_| io::ErrorKind::InvalidInput)?;
    Ok((wide, skip))
}

/// Writes bytes of any granularity: reads the blocks around them first if need be. Nobody else
/// changes those blocks meanwhile; the map sees to that.
fn patch(volume: &Volume, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let align = volume.align().max(1);
    if offset.is_multiple_of(align as u64) && bytes.len().is_multiple_of(align) {
        let mut copy = Buffer::allocate(bytes.len()).ok_or(io::ErrorKind::OutOfMemory)?;
        copy.bytes_mut().copy_from_slice(bytes);
        return write_all(volume, offset, copy.bytes());
    }
    let (mut wide, skip) = widened(volume, offset, bytes.len())?;
    wide.bytes_mut().get_mut(skip..skip + bytes.len()).ok_or(io::ErrorKind::InvalidInput)?.copy_from_slice(bytes);
    write_all(volume, offset - skip as u64, wide.bytes())
}

fn zero(volume: &Volume, offset: u64, len: u64, unmap: bool) -> io::Result<()> {
    let how = if unmap { FallocateFlags::PUNCH_HOLE } else { FallocateFlags::ZERO_RANGE };
    let align = volume.align().max(1) as u64;
    if offset.is_multiple_of(align) && len.is_multiple_of(align) {
        match fallocate(volume.fd(), how | FallocateFlags::KEEP_SIZE, offset, len) {
            Ok(()) => return Ok(()),
            Err(Errno::OPNOTSUPP | Errno::INVAL | Errno::NOSYS | Errno::NODEV) => {}
            Err(e) => return Err(e.into()),
        }
    }
    let (mut at, end) = (offset, offset + len);
    while at < end {
        // Pieces end at multiples of their size, so that all but the first and last are aligned.
        let step = (ZEROES as u64 - at % ZEROES as u64).min(end - at);
        let zeroes = vec![0; usize::try_from(step).unwrap_or(ZEROES)];
        let inner = step / align * align;
        if inner > 0 && at.is_multiple_of(align) && inner < step {
            patch(volume, at, zeroes.get(..usize::try_from(inner).unwrap_or(0)).unwrap_or_default())?;
            at += inner;
            continue;
        }
        patch(volume, at, &zeroes)?;
        at += step;
    }
    Ok(())
}
