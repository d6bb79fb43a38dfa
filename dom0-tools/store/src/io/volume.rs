//! An open file or block device: direct I/O if it can, its size and its granularity.

use crate::Error;
use rustix::fs::{FileType, FlockOperation, Mode, OFlags, fcntl_setfl, flock, fstat, open, seek, stat};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Granularity that suits every device we know.
const COARSE: usize = 4096;
/// Between two looks at a lock or a claim.
const PAUSE: Duration = Duration::from_millis(20);

/// A file or block device. Locked: no other process of ours has it writable.
#[derive(Debug)]
pub(crate) struct Volume {
    fd: OwnedFd,
    path: PathBuf,
    bytes: u64,
    align: usize,
    direct: bool,
    file: bool,
    /// `None`: the swap store.
    pub(crate) disk: Option<u16>,
}

impl Volume {
    /// Opens what is there. With `write` the file is locked against a second opening, and a block device
    /// claimed, so that the kernel neither has nor gets it mounted.
    ///
    /// `patience`: how long to wait for lock and claim.
    pub(crate) fn open(path: &Path, write: bool, disk: Option<u16>, patience: Duration) -> Result<Self, Error> {
        let mut access = if write { OFlags::RDWR } else { OFlags::RDONLY } | OFlags::CLOEXEC;
        let error = |source: Errno| Error::io("cannot open", path)(source.into());
        if write && FileType::from_raw_mode(stat(path).map_err(error)?.st_mode) == FileType::BlockDevice {
            // Without O_CREAT it has a meaning for block devices only (open(2)).
            access |= OFlags::EXCL;
        }
        let start = Instant::now();
        let (fd, direct) = loop {
            let opened = match open(path, access | OFlags::DIRECT, Mode::empty()) {
                // Some file systems do not know direct I/O.
                Err(Errno::INVAL) => open(path, access, Mode::empty()).map(|fd| (fd, false)),
                opened => opened.map(|fd| (fd, true)),
            };
            match opened {
                Err(Errno::BUSY) if start.elapsed() < patience => std::thread::sleep(PAUSE),
                Err(Errno::BUSY) => return Err(Error::Claimed(path.to_path_buf())),
                opened => break opened.map_err(error)?,
            }
        };
        let lock = if write { FlockOperation::NonBlockingLockExclusive } else { FlockOperation::NonBlockingLockShared };
        while let Err(e) = flock(&fd, lock) {
            match e {
                Errno::WOULDBLOCK if start.elapsed() < patience => std::thread::sleep(PAUSE),
                Errno::WOULDBLOCK => return Err(Error::InUse(path.to_path_buf())),
                Errno::INTR => {}
                e => return Err(error(e)),
            }
        }
        let kind = FileType::from_raw_mode(fstat(&fd).map_err(error)?.st_mode);
        let bytes = seek(&fd, rustix::fs::SeekFrom::End(0)).map_err(error)?;
        let block = match kind {
            FileType::BlockDevice => rustix::fs::ioctl_blksszget(&fd).map_err(error)? as usize,
            _ => COARSE.min(512),
        };
        let file = kind == FileType::RegularFile;
        let mut volume =
            Self { fd, path: path.to_path_buf(), bytes, align: if direct { block } else { 1 }, direct, file, disk };
        if direct && kind != FileType::BlockDevice && !volume.takes(512) {
            volume.coarsen().map_err(error)?;
        }
        Ok(volume)
    }

    /// Direct transfers have to be of whole blocks of [`COARSE`] bytes. One that reaches beyond the end of an image
    /// would come back short or make the image longer, so an image with such an end goes through the page cache.
    fn coarsen(&mut self) -> rustix::io::Result<()> {
        self.align = COARSE;
        if self.disk.is_some() && !self.bytes.is_multiple_of(COARSE as u64) {
            fcntl_setfl(&self.fd, OFlags::empty())?;
            (self.align, self.direct) = (1, false);
        }
        Ok(())
    }

    /// True if a direct read of that granularity works.
    fn takes(&self, align: usize) -> bool {
        let Some(mut probe) = super::Buffer::allocate(COARSE) else {
            return false;
        };
        let Some(part) = probe.bytes_mut().get_mut(align..2 * align) else {
            return false;
        };
        // From the start: beyond the end of a short file any granularity passes.
        rustix::io::pread(&self.fd, part, 0).is_ok()
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Size in bytes when it was opened.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Offsets, lengths and addresses of direct transfers are multiples of this.
    pub(crate) const fn align(&self) -> usize {
        self.align
    }

    /// True if it is a file in a file system.
    pub(crate) const fn is_file(&self) -> bool {
        self.file
    }

    /// True if the page cache is passed by.
    pub(crate) const fn direct(&self) -> bool {
        self.direct
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::io::{Buffer, IoOp, Request, transfer};
    use std::sync::Arc;

    #[test]
    fn the_end_of_an_image_is_reached_where_direct_transfers_are_coarse() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image");
        let bytes = 2 * COARSE + 512;
        std::fs::write(&path, vec![1; bytes]).unwrap();
        let mut volume = Volume::open(&path, true, Some(1), Duration::ZERO).unwrap();
        volume.coarsen().unwrap();
        let volume = Arc::new(volume);
        let run = |offset: usize, op: IoOp| {
            transfer::run(Request { token: 0, volume: volume.clone(), offset: offset as u64, op }, None)
        };
        let filled = |byte| {
            let mut buffer = Buffer::allocate(512).unwrap();
            buffer.bytes_mut().fill(byte);
            buffer
        };
        for sector in [0, COARSE - 512, bytes - 512] {
            let read = run(sector, IoOp::Read(filled(0)));
            read.result.unwrap();
            assert!(read.buffer.unwrap().bytes().iter().all(|&byte| byte == 1));
            run(sector, IoOp::Write(filled(2))).result.unwrap();
        }
        run(0, IoOp::Sync).result.unwrap();
        run(COARSE, IoOp::Zero { len: 512, unmap: true }).result.unwrap();
        let image = std::fs::read(&path).unwrap();
        assert_eq!(image.len(), bytes, "as long as it was");
        let expected = |at: usize| match at / 512 * 512 {
            0 => 2,
            at if at == COARSE => 0,
            at if at == COARSE - 512 || at == bytes - 512 => 2,
            _ => 1,
        };
        assert!(image.iter().enumerate().all(|(at, &byte)| byte == expected(at)));
    }
}
