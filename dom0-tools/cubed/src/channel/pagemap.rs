//! Physical addresses of our own pages (Linux, Documentation/admin-guide/mm/pagemap.rst).

use super::AttachError;
use std::fs::File;
use std::os::unix::fs::FileExt;

const PRESENT: u64 = 1 << 63;
const FRAME: u64 = (1 << 55) - 1;

/// The physical address of the 4 KiB page at the process's address `address`, which must be touched already.
///
/// dom0 is identity-mapped, so what its kernel takes for physical is what the hypervisor takes for it.
///
/// # Errors
/// [`AttachError::Pagemap`] if the kernel hides frame numbers or the page is not present.
pub fn physical(address: usize) -> Result<u64, AttachError> {
    let fail = |why: &str| AttachError::Pagemap(why.to_owned());
    let file = File::open("/proc/self/pagemap").map_err(|error| fail(&error.to_string()))?;
    let mut bytes = [0; 8];
    let at = (address / 4096 * 8) as u64;
    file.read_exact_at(&mut bytes, at).map_err(|error| fail(&error.to_string()))?;
    frame(u64::from_le_bytes(bytes)).map_err(fail)
}

fn frame(entry: u64) -> Result<u64, &'static str> {
    match (entry & PRESENT != 0, entry & FRAME) {
        (false, _) => Err("a page is not present"),
        (true, 0) => Err("frame numbers read as 0"),
        (true, frame) => Ok(frame * 4096),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries() {
        assert_eq!(frame(PRESENT | 0x1234), Ok(0x123_4000));
        assert_eq!(frame(PRESENT | 1 << 61 | 0x1234), Ok(0x123_4000));
        assert!(frame(PRESENT).is_err());
        assert!(frame(0x1234).is_err());
    }
}
