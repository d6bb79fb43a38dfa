//! The stamp of an image whose content may be partly in a store: an extended attribute that
//! names the store and a number drawn anew at each attach. A copy made meanwhile, or an image from an
//! older backup, carries another number or none.

use crate::Error;
use crate::io::Volume;
use rustix::fs::{XattrFlags, fdatasync, fgetxattr, fremovexattr, fsetxattr, fsync};
use rustix::io::Errno;

const NAME: &str = "user.hypercube.tesseract";
const LEN: usize = 65;

/// A stamp.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stamp {
    pub(super) store: [u8; 16],
    pub(super) image: [u8; 16],
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}:{:032x}", u128::from_be_bytes(self.store), u128::from_be_bytes(self.image))
    }
}

/// What an image carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Carried {
    Stamp(Stamp),
    None,
    /// It cannot carry one.
    Unable,
}

pub(super) fn read(volume: &Volume) -> Result<Carried, Error> {
    // A device is said to have none, and cannot be given one (xattr(7)).
    if !volume.is_file() {
        return Ok(Carried::Unable);
    }
    let mut bytes = [0; 128];
    match fgetxattr(volume.fd(), NAME, &mut bytes[..]) {
        Ok(len) => Ok(parse(bytes.get(..len).unwrap_or_default()).map_or(
            // Somebody else's hand: no store of ours has this identity.
            Carried::Stamp(Stamp { store: [0; 16], image: [0; 16] }),
            Carried::Stamp,
        )),
        Err(Errno::NODATA) => Ok(Carried::None),
        Err(Errno::OPNOTSUPP | Errno::PERM | Errno::NOSYS) => Ok(Carried::Unable),
        Err(e) => Err(Error::io("cannot read the stamp of", volume.path())(e.into())),
    }
}

/// Puts the stamp on, durably. False: the image cannot carry one.
pub(super) fn write(volume: &Volume, stamp: &Stamp) -> Result<bool, Error> {
    match fsetxattr(volume.fd(), NAME, stamp.to_string().as_bytes(), XattrFlags::empty()) {
        Ok(()) => fsync(volume.fd()).map(|()| true).map_err(|e| Error::io("cannot sync", volume.path())(e.into())),
        Err(Errno::OPNOTSUPP | Errno::PERM | Errno::NOSYS) => Ok(false),
        Err(e) => Err(Error::io("cannot stamp", volume.path())(e.into())),
    }
}

/// Takes the stamp off, after the content is durable.
pub(super) fn remove(volume: &Volume) -> Result<(), Error> {
    fdatasync(volume.fd()).map_err(|e| Error::io("cannot sync", volume.path())(e.into()))?;
    match fremovexattr(volume.fd(), NAME) {
        Ok(()) => fsync(volume.fd()).map_err(|e| Error::io("cannot sync", volume.path())(e.into())),
        Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::PERM | Errno::NOSYS) => Ok(()),
        Err(e) => Err(Error::io("cannot remove the stamp of", volume.path())(e.into())),
    }
}

fn parse(bytes: &[u8]) -> Option<Stamp> {
    let text = std::str::from_utf8(bytes).ok().filter(|t| t.len() == LEN)?;
    let (store, image) = text.split_once(':')?;
    let number = |t: &str| u128::from_str_radix(t, 16).ok().map(u128::to_be_bytes);
    Some(Stamp { store: number(store)?, image: number(image)? })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_device_cannot_carry_one() {
        let device = Volume::open("/dev/null".as_ref(), true, None, std::time::Duration::ZERO).unwrap();
        assert_eq!(read(&device).unwrap(), Carried::Unable);
        assert!(!write(&device, &Stamp { store: [1; 16], image: [2; 16] }).unwrap());
    }

    #[test]
    fn stamps_survive_as_text() {
        let stamp = Stamp { store: [0xa5; 16], image: [7; 16] };
        assert_eq!(parse(stamp.to_string().as_bytes()), Some(stamp));
        assert_eq!(parse(b"nonsense"), None);
    }
}
