//! Memory and disk hold the same bytes, and each changes without the other (Tesseract's R1 to R4). Blocks are read
//! into pages, the pages lose their frames, and then the blocks are overwritten: the pages keep the old bytes.
//! Pages without frames are written to other blocks, and read into. The host must press: its limit is to be less
//! than half of the memory. Overwrites the disk. Options: `mib=` how much of each (default 4).

use crate::boot::command_line;
use crate::device::dma::{self, Machine};
use crate::report::{Failure, Outcome};
use crate::{ensure, fail, memory, println};
use abi::platform::VIRTIO_BLOCK;
use virtio_drivers::device::blk::{SECTOR_SIZE, VirtIOBlk};
use virtio_drivers::transport::mmio::MmioTransport;

pub(super) type Disk = VirtIOBlk<Machine, MmioTransport<'static>>;

const PAGE: usize = memory::PAGE as usize;
/// Sectors in a page.
pub(super) const SECTORS: usize = PAGE / SECTOR_SIZE;
/// 8-byte words in a page.
const WORDS: u64 = memory::PAGE / 8;
/// The sector that a partial write replaces.
const REPLACED: usize = 3;

/// Word `word` of block `block` after its `age`th write; never 0.
fn word(block: u64, word: u64, age: u64) -> u64 {
    (block << 20 | word << 4 | age).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1
}

/// The bytes of usable page `number`.
pub(super) fn bytes<'a>(number: u64) -> Result<&'a mut [u8], Failure> {
    let Some(address) = memory::page(number) else { fail!("there is no page {number}") };
    // SAFETY: usable RAM, mapped one to one, of which Rust knows nothing. This case runs on one processor, and no
    // slice of it outlives the request that it is made for.
    Ok(unsafe { core::slice::from_raw_parts_mut(address as *mut u8, PAGE) })
}

pub(super) fn fill(page: u64, block: u64, age: u64) {
    for n in 0..WORDS {
        memory::write(page, n, word(block, n, age));
    }
}

/// Compares a page with a block's bytes; `replaced` tells the age of one sector where it differs.
pub(super) fn compare(what: &str, page: u64, block: u64, age: u64, replaced: Option<u64>) -> Outcome {
    for n in 0..WORDS {
        let is_replaced = n as usize * 8 / SECTOR_SIZE == REPLACED;
        let expected = word(block, n, replaced.filter(|_| is_replaced).unwrap_or(age));
        let found = memory::read(page, n);
        ensure!(found == expected, "{what}: word {n} of block {block} is {found:#x}, not {expected:#x}");
    }
    Ok(())
}

fn read(disk: &mut Disk, block: u64, page: u64) -> Outcome {
    match disk.read_blocks(block as usize * SECTORS, bytes(page)?) {
        Ok(()) => Ok(()),
        Err(error) => fail!("block {block} cannot be read: {error:?}"),
    }
}

pub(super) fn write(disk: &mut Disk, block: u64, page: u64) -> Outcome {
    match disk.write_blocks(block as usize * SECTORS, bytes(page)?) {
        Ok(()) => Ok(()),
        Err(error) => fail!("block {block} cannot be written: {error:?}"),
    }
}

/// Uses all pages from `first` on, so that those before it lose their frames.
fn press(first: u64) {
    for pass in 0..2 {
        for page in first..memory::pages() {
            memory::write(page, pass, page);
        }
    }
}

pub(super) fn open() -> Result<Disk, Failure> {
    let Some(transport) = dma::transport(VIRTIO_BLOCK) else { fail!("no block device") };
    match Disk::new(transport) {
        Ok(disk) => Ok(disk),
        Err(error) => fail!("the disk refuses the driver: {error:?}"),
    }
}

pub fn run() -> Outcome {
    let mut disk = open()?;
    let count = command_line::number("mib", 4) << 8;
    // Pages 0 to count hold blocks; this one carries bytes to and from the disk, and is always in use.
    let carrier = count;
    ensure!(memory::pages() > 4 * count, "{} pages are too few", memory::pages());
    ensure!(disk.capacity() >= 2 * count * SECTORS as u64, "a disk of {} sectors is too small", disk.capacity());

    // R2: what is on the disk is dropped.
    for block in 0..count {
        fill(carrier, block, 0);
        write(&mut disk, block, carrier)?;
        read(&mut disk, block, block)?;
    }
    press(count + 1);
    println!("dropped");

    // R4: dropped pages keep what their blocks lose; every other block loses one sector only.
    for block in 0..count {
        fill(carrier, block, 1);
        if block.is_multiple_of(2) {
            write(&mut disk, block, carrier)?;
        } else {
            let sector = REPLACED * SECTOR_SIZE..(REPLACED + 1) * SECTOR_SIZE;
            let written = disk.write_blocks(block as usize * SECTORS + REPLACED, &bytes(carrier)?[sector]);
            ensure!(written.is_ok(), "a sector of block {block} cannot be written: {written:?}");
        }
    }
    let age = |block: u64| if block.is_multiple_of(2) { (1, None) } else { (0, Some(1)) };
    println!("overwritten");

    // R1: pages without frames become blocks. R4 for them, too: the blocks of their old bytes are overwritten above.
    for page in 0..count {
        write(&mut disk, count + page, page)?;
    }
    println!("referenced");
    for page in 0..count {
        compare("a page", page, page, 0, None)?;
    }
    for block in 0..count {
        let (age, replaced) = age(block);
        read(&mut disk, block, carrier)?;
        compare("an overwritten block", carrier, block, age, replaced)?;
        read(&mut disk, count + block, carrier)?;
        compare("a written page", carrier, block, 0, None)?;
    }

    // R3: pages without frames are read into.
    press(count + 1);
    for block in 0..count {
        let (age, replaced) = age(block);
        read(&mut disk, block, count - 1 - block)?;
        compare("a page that was read into", count - 1 - block, block, age, replaced)?;
    }
    let flushed = disk.flush();
    ensure!(flushed.is_ok(), "flush: {flushed:?}");
    Ok(())
}
