//! The hypervisor's own page tables: the image with the rights of its sections, all RAM and
//! devices in the direct map without execution, and nothing else once the boot tables are left.

use super::direct;
use super::tables::Tables;
use crate::cpu::register;
use core::sync::atomic::{AtomicU64, Ordering};
use paging::{Access, Gfn, LargeExecute, LongMode, MemoryType, Mfn, Size, Tree};

// SAFETY: the linker script defines these; only their addresses are used.
unsafe extern "C" {
    static __text_start: u8;
    static __text_end: u8;
    static __rodata_end: u8;
    static __image_start: u8;
    static __image_end: u8;
    static boot_stack_guard: u8;
}

/// Bytes of a CPU's stack but the boot CPU's, with the page at its lower end that is not mapped.
pub const STACK: u64 = 64 << 10;
/// Bytes of the block that these stacks are in.
const STACKS: u64 = 2 << 20;
/// Stacks in the block.
pub const STACK_COUNT: u32 = (STACKS / STACK) as u32;

static ROOT: AtomicU64 = AtomicU64::new(0);

/// First and one past the last physical byte of the image, boot part included.
pub fn image() -> (u64, u64) {
    ((&raw const __image_start).addr() as u64, (&raw const __image_end).addr() as u64)
}

/// Extends the boot tables' direct map by whole GiBs up to `limit`, before there is an allocator:
/// `next` gives zeroed frames below 4 GiB.
pub fn extend_boot_map(limit: u64, mut next: impl FnMut() -> u64) {
    let pml4 = register::cr3() & !0xfff;
    let pdpt = direct::atomic(pml4 + 256 * 8).load(Ordering::Relaxed) & 0xf_ffff_ffff_f000;
    let mut gib = 4;
    while gib << 30 < limit && gib < 512 {
        let pd = next();
        for index in 0..512 {
            direct::atomic(pd + index * 8).store(gib << 30 | index << 21 | 0x83, Ordering::Relaxed);
        }
        direct::atomic(pdpt + gib * 8).store(pd | 3, Ordering::Relaxed);
        gib += 1;
    }
    direct::set_limit(gib << 30);
}

/// Builds the final tables and switches to them. An overflow of a stack, of those in the block at `stacks` or of
/// the boot CPU's, meets a page that is not there.
pub fn build(device: impl Fn(u64) -> bool, stacks: u64) -> Result<(), &'static str> {
    let mut tree = Tree::<LongMode>::new(&Tables, 4, LargeExecute::Allowed).ok_or(FULL)?;
    let read_write = Access::RW;
    let mut physical = 0;
    while physical < direct::limit() {
        let kind = if device(physical) { MemoryType::Uncacheable } else { MemoryType::WriteBack };
        if physical == stacks {
            for at in (physical..physical + STACKS).step_by(4096).filter(|at| at % STACK != 0) {
                let page = page_of(direct::BASE + at);
                tree.map(&Tables, page, Mfn(at >> 12), Size::Small, read_write, kind).map_err(|_| FULL)?;
            }
        } else {
            let page = page_of(direct::BASE + physical);
            tree.map(&Tables, page, Mfn(physical >> 12), Size::Large, read_write, kind).map_err(|_| FULL)?;
        }
        physical += 2 << 20;
    }
    let guard = (&raw const boot_stack_guard).addr() as u64 - direct::IMAGE_BASE;
    let (start, end) = image();
    let text = (&raw const __text_start).addr() as u64 - direct::IMAGE_BASE;
    let text_end = (&raw const __text_end).addr() as u64 - direct::IMAGE_BASE;
    let rodata_end = (&raw const __rodata_end).addr() as u64 - direct::IMAGE_BASE;
    for physical in (start..end).step_by(4096).filter(|&physical| physical != guard) {
        let access = match physical {
            p if p >= text && p < text_end => Access::RX,
            p if p >= text_end && p < rodata_end => Access::R,
            _ => read_write,
        };
        let page = page_of(direct::IMAGE_BASE + physical);
        tree.map(&Tables, page, Mfn(physical >> 12), Size::Small, access, MemoryType::WriteBack).map_err(|_| FULL)?;
    }
    ROOT.store(tree.root().0 << 12, Ordering::Relaxed);
    activate();
    Ok(())
}

/// Number of a virtual page, without the sign extension.
fn page_of(address: u64) -> Gfn {
    Gfn((address & 0xffff_ffff_ffff) >> 12)
}

const FULL: &str = "not enough memory for the hypervisor's own page tables";

/// Makes this CPU use the final tables.
pub fn activate() {
    // SAFETY: they map the image and the direct map as the boot tables do, with narrower rights; the
    // PAT is the one that page-table entries are encoded for.
    unsafe {
        register::write_msr(register::msr::PAT, paging::format::PAT);
        register::set_cr3(ROOT.load(Ordering::Relaxed));
    }
}
