//! Reading superblocks and a journal area. Writes nothing, so a checker can use it.

use super::State;
use crate::Error;
use crate::format::{Superblock, SuperblockFound as Found, VERSION, decode};
use crate::io::{Buffer, Volume, read_exact};
use tesseract::BLOCK;

/// Blocks read at a time.
const CHUNK: u64 = 64;

/// What an area holds.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) state: State,
    /// Blocks that belong to it.
    pub(crate) blocks: u64,
    /// The first block after those that is missing although later ones are there. After a loss
    /// of power that is normal (they were not durable yet); else it is damage.
    pub(crate) gap: Option<u64>,
}

/// The superblock that counts.
pub(crate) fn superblock(volume: &Volume) -> Result<Superblock, Error> {
    let path = || volume.path().to_path_buf();
    let mut best: Option<Superblock> = None;
    let mut version = None;
    let mut ours = false;
    for place in [0, BLOCK] {
        match Superblock::decode(&read(volume, place, BLOCK)?) {
            Found::Valid(found) => {
                if best.as_ref().is_none_or(|b| b.generation < found.generation) {
                    best = Some(found);
                }
            }
            Found::OtherVersion(v) => version = Some(v),
            Found::Broken => ours = true,
            Found::Foreign => {}
        }
    }
    match (best, version) {
        (Some(found), _) if found.geometry.bytes > volume.bytes() => Err(Error::Truncated(path())),
        (Some(found), _) => Ok(found),
        (None, Some(found)) => Err(Error::Version { path: path(), found, known: VERSION }),
        (None, None) if ours => Err(Error::Damaged { path: path(), block: 0 }),
        (None, None) => Err(Error::NoStore(path())),
    }
}

/// The journal of the superblock's generation, to its end.
pub(crate) fn load(volume: &Volume, superblock: &Superblock) -> Result<Loaded, Error> {
    let at = superblock.geometry.area_at(superblock.area());
    let mut loaded = Loaded { state: State::default(), blocks: 0, gap: None };
    let mut ended = false;
    let mut index = 0;
    while index < superblock.geometry.area {
        let count = CHUNK.min(superblock.geometry.area - index);
        let bytes = read(volume, at + index * BLOCK, count * BLOCK)?;
        for block in bytes.as_chunks::<{ BLOCK as usize }>().0 {
            match decode(block, superblock.generation, index) {
                Some(body) if !ended => {
                    loaded.state.apply(&body);
                    loaded.blocks += 1;
                }
                Some(_) => {
                    loaded.gap = Some(loaded.blocks);
                    return Ok(loaded);
                }
                None => ended = true,
            }
            index += 1;
        }
    }
    Ok(loaded)
}

fn read(volume: &Volume, at: u64, len: u64) -> Result<Vec<u8>, Error> {
    let error = Error::io("cannot read", volume.path());
    if at + len > volume.bytes() {
        return Err(Error::NoStore(volume.path().to_path_buf()));
    }
    let buffer = usize::try_from(len).ok().and_then(Buffer::allocate);
    let Some(mut buffer) = buffer else {
        return Err(error(std::io::ErrorKind::OutOfMemory.into()));
    };
    read_exact(volume, at, buffer.bytes_mut()).map_err(error)?;
    Ok(buffer.bytes().to_vec())
}
