//! Making and opening a store.

use super::syncs::Syncs;
use super::{Options, Recovered, Store};
use crate::Error;
use crate::format::{Geometry, Superblock};
use crate::io::{Engine, Mailbox, Volume};
use crate::journal::{Journal, State, Writer, load, superblock};
use crate::random::random;
use rustix::fs::{FallocateFlags, Mode, OFlags, fallocate, fstat, fstatfs, fstatvfs, ftruncate};
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// How much of the beginning and of the end must be zeroes before a store is made there, in bytes. File systems, arrays
/// and partition tables are known by something in the first or last MiB (btrfs, ISO 9660, UDF and ReiserFS by 32 KiB
/// and more, ZFS, md 0.90 and 1.0 and the second GPT at the end), and the first partition begins at 1 MiB.
const ENDS: u64 = 4 << 20;

/// Type of tmpfs, as statfs(2) tells it.
const TMPFS: i64 = 0x0102_1994;

impl Store {
    /// Makes an empty store: the whole of a file or a block device. A file that is absent or has no bytes is made `bytes`
    /// bytes long. What is there must be blank, a store that is not wanted any more included. All of a file's blocks
    /// are allocated, unless its file system cannot or is memory.
    ///
    /// # Errors
    /// If it is too small, in use, not blank, there is no space for it, or the system refuses.
    pub fn format(path: &Path, bytes: Option<u64>) -> Result<Geometry, Error> {
        let error = |what| Error::io(what, path);
        let access = if bytes.is_some() { OFlags::RDWR | OFlags::CREATE } else { OFlags::RDONLY };
        let file = rustix::fs::open(path, access | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR);
        let file = File::from(file.map_err(|e| error("cannot open")(e.into()))?);
        if !is_blank(&file).map_err(error("cannot read"))? {
            return Err(Error::Foreign(path.to_path_buf()));
        }
        let mut made = false;
        if let Some(bytes) = bytes {
            let meta = file.metadata().map_err(error("cannot read"))?;
            made = meta.is_file() && meta.len() == 0;
            if made {
                file.set_len(bytes).map_err(error("cannot enlarge"))?;
            }
        }
        let volume = Volume::open(path, true, None, Duration::ZERO)?;
        let geometry = Geometry::of(volume.bytes()).ok_or_else(|| Error::TooSmall(path.to_path_buf()))?;
        let allocated = allocate(&volume);
        if allocated.is_err() && made {
            // Of another size it may find space.
            let _ = ftruncate(volume.fd(), 0);
        }
        allocated?;
        let store = random().map_err(error("no random bytes for"))?;
        // An earlier store's journal blocks must not fit this one's generations.
        let seed = random().map_err(error("no random bytes for"))?;
        let generation = u64::from_le_bytes(seed.first_chunk().copied().unwrap_or_default()) >> 16;
        let fresh = Superblock { generation, store, boot: [0; 16], geometry };
        Writer::begin(Arc::new(volume), fresh, [0; 16], State::default(), Arc::default(), None)
            .map_err(error("cannot write"))?;
        Ok(geometry)
    }

    /// Opens a store, brings its references to what holds now, and begins a new generation of its journal.
    ///
    /// # Errors
    /// If there is no store, it is in use, its journal is damaged, or the system refuses.
    pub fn open(path: &Path, options: &Options) -> Result<(Self, Recovered), Error> {
        let error = |what| Error::io(what, path);
        let boot = match options.boot {
            Some(boot) => boot,
            None => this_boot().map_err(error("no boot identifier for"))?,
        };
        let volume = Arc::new(Volume::open(path, true, None, options.patience)?);
        let old = superblock(&volume)?;
        let loaded = load(&volume, &old)?;
        let same_boot = old.boot == boot;
        let mut state = loaded.state;
        match loaded.gap {
            Some(block) if same_boot => {
                return Err(Error::Damaged { path: path.to_path_buf(), block });
            }
            _ if same_boot => {}
            _ => state.refs.roll_back(),
        }
        let (geometry, id) = (old.geometry, old.store);
        let recovered =
            Recovered { refs: state.refs.clone(), disks: state.disks.values().cloned().collect(), geometry, same_boot };
        let known = state.disks.clone();
        let lost: Arc<AtomicBool> = Arc::default();
        let writer = Writer::begin(volume.clone(), old, boot, state, lost.clone(), options.faults.clone());
        let writer = writer.map_err(error("cannot write the journal of"))?;
        let mailbox = Arc::new(Mailbox::new().map_err(error("no event descriptor for"))?);
        let engine = Engine::new(options.backend, mailbox.clone(), options.faults.clone());
        let engine = engine.map_err(error("no I/O back end for"))?;
        let journal = Journal::start(writer, mailbox.clone()).map_err(error("no thread for"))?;
        let store = Self {
            journal,
            engine,
            mailbox,
            volume,
            geometry,
            id,
            known,
            images: BTreeMap::new(),
            syncs: Syncs::default(),
            lost,
            reserved: BTreeSet::new(),
            patience: options.patience,
        };
        Ok((store, recovered))
    }
}

/// Takes all the space that the store will need from its file system, which might not have it later.
fn allocate(volume: &Volume) -> Result<(), Error> {
    let error = |e: Errno| Error::io("cannot allocate the blocks of", volume.path())(e.into());
    // What is in memory is there for a trial, or keeps books that stay small.
    if !volume.is_file() || fstatfs(volume.fd()).map_err(error)?.f_type == TMPFS {
        return Ok(());
    }
    let no_space = || Error::NoSpace { path: volume.path().to_path_buf(), bytes: volume.bytes() };
    let (file, system) = (fstat(volume.fd()).map_err(error)?, fstatvfs(volume.fd()).map_err(error)?);
    let missing = volume.bytes().saturating_sub(file.st_blocks.cast_unsigned() * 512);
    // To find it out by allocating would leave others without space meanwhile.
    if missing / system.f_frsize.max(1) > system.f_bfree {
        return Err(no_space());
    }
    loop {
        match fallocate(volume.fd(), FallocateFlags::empty(), 0, volume.bytes()) {
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(Errno::NOSPC | Errno::DQUOT) => return Err(no_space()),
            Err(e) => return Err(error(e)),
        }
    }
}

/// True if there are zeroes only where something would say what is there.
fn is_blank(mut file: &File) -> io::Result<bool> {
    let size = file.seek(SeekFrom::End(0))?;
    for at in [0, size.saturating_sub(ENDS)] {
        file.seek(SeekFrom::Start(at))?;
        let mut bytes = Vec::new();
        file.take(ENDS).read_to_end(&mut bytes)?;
        if bytes.iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The kernel's identifier of this boot.
fn this_boot() -> io::Result<[u8; 16]> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    u128::from_str_radix(&digits, 16).map(u128::to_be_bytes).map_err(|_| io::ErrorKind::InvalidData.into())
}
