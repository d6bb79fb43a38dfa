//! A disk: writes, reads back, compares; requests of many sizes, unaligned buffers, untouched pages, the end
//! of the disk.
//! Overwrites the disk. Options: `sectors=` how many to use (default: 8192, or the disk's); `endless=1`
//! writes until the guest is ended, and compares nothing.

use crate::boot::command_line;
use crate::device::dma::{self, Machine};
use crate::report::Outcome;
use crate::{ensure, fail};
use abi::platform::VIRTIO_BLOCK;
use core::cell::UnsafeCell;
use virtio_drivers::device::blk::{SECTOR_SIZE, VirtIOBlk};

const LARGEST: usize = 32;
type Disk = VirtIOBlk<Machine, virtio_drivers::transport::mmio::MmioTransport<'static>>;

#[repr(C, align(4096))]
struct Buffer([u8; LARGEST * SECTOR_SIZE + 4096]);

const FRESH_BYTES: usize = 16 * 4096;

/// Pages that nothing touches.
#[repr(C, align(4096))]
struct Fresh(UnsafeCell<[u8; FRESH_BYTES]>);

// SAFETY: it is only read.
unsafe impl Sync for Fresh {}

static FRESH: Fresh = Fresh(UnsafeCell::new([0; FRESH_BYTES]));

/// The byte that belongs at `position` of the disk after pass `pass`.
fn expected(position: u64, pass: u64) -> u8 {
    let mixed = (position / 8 + pass * 0x1_0001).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (8 * (position % 8))) as u8
}

pub fn run() -> Outcome {
    let Some(transport) = dma::transport(VIRTIO_BLOCK) else { fail!("no block device") };
    let mut disk = match Disk::new(transport) {
        Ok(disk) => disk,
        Err(error) => fail!("the disk refuses the driver: {error:?}"),
    };
    let sectors = disk.capacity().min(command_line::number("sectors", 8192));
    ensure!(sectors >= 64, "a disk of {} sectors is too small", disk.capacity());
    if command_line::number("endless", 0) != 0 {
        loop {
            transfer(&mut disk, sectors, 0, true)?;
        }
    }
    for pass in 0..2 {
        transfer(&mut disk, sectors, pass, true)?;
        if let Err(error) = disk.flush() {
            fail!("flush: {error:?}");
        }
        transfer(&mut disk, sectors, pass, false)?;
    }
    untouched(&mut disk, sectors)?;
    let mut sector = [0; SECTOR_SIZE];
    let behind = disk.read_blocks(disk.capacity() as usize, &mut sector);
    ensure!(behind.is_err(), "a sector behind the last was read");
    let behind = disk.write_blocks(usize::MAX / SECTOR_SIZE, &sector);
    ensure!(behind.is_err(), "a sector far behind the last was written");
    ensure!(disk.read_blocks(0, &mut sector).is_ok(), "the disk does not work after a refused request");
    Ok(())
}

/// Writes pages that were never touched over sectors with content: they are zeroes on the disk, too.
fn untouched(disk: &mut Disk, sectors: u64) -> Outcome {
    let count = (FRESH_BYTES / SECTOR_SIZE).min(sectors as usize);
    // SAFETY: nobody writes to it, and zero is a value of every byte.
    let fresh = unsafe { core::slice::from_raw_parts(FRESH.0.get().cast::<u8>(), count * SECTOR_SIZE) };
    if let Err(error) = disk.write_blocks(0, fresh) {
        fail!("untouched pages cannot be written: {error:?}");
    }
    let mut buffer = Buffer([1; LARGEST * SECTOR_SIZE + 4096]);
    for start in (0..count).step_by(LARGEST) {
        let bytes = &mut buffer.0[..LARGEST.min(count - start) * SECTOR_SIZE];
        bytes.fill(1);
        if let Err(error) = disk.read_blocks(start, bytes) {
            fail!("sector {start}: {error:?}");
        }
        if let Some(at) = bytes.iter().position(|&byte| byte != 0) {
            fail!("byte {at} from sector {start} on is {:#x}, written from an untouched page", bytes[at]);
        }
    }
    Ok(())
}

/// Goes through the disk in requests of changing size and alignment.
fn transfer(disk: &mut Disk, sectors: u64, pass: u64, write: bool) -> Outcome {
    let mut buffer = Buffer([0; LARGEST * SECTOR_SIZE + 4096]);
    let (mut sector, mut turn) = (0, pass as usize);
    while sector < sectors {
        let count = [8, 1, LARGEST, 3, 16, 7][turn % 6].min((sectors - sector) as usize);
        let shift = [0, 0, 512, 16, 2048, 1][turn % 6];
        let bytes = &mut buffer.0[shift..shift + count * SECTOR_SIZE];
        let start = sector * SECTOR_SIZE as u64;
        if write {
            for (n, byte) in bytes.iter_mut().enumerate() {
                *byte = expected(start + n as u64, pass);
            }
        } else {
            bytes.fill(!expected(start, pass));
        }
        let result =
            if write { disk.write_blocks(sector as usize, bytes) } else { disk.read_blocks(sector as usize, bytes) };
        if let Err(error) = result {
            fail!("{count} sectors at {sector}, write {write}: {error:?}");
        }
        let wrong = bytes.iter().enumerate().find(|(n, byte)| **byte != expected(start + *n as u64, pass));
        if let Some((n, byte)) = wrong {
            fail!("byte {n} of {count} sectors at {sector} is {byte:#x}, not {:#x}", expected(start + n as u64, pass));
        }
        sector += count as u64;
        turn += 1;
    }
    Ok(())
}
