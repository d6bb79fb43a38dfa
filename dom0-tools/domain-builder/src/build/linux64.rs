//! Boot data of a Linux bzImage: `boot_params`, page tables, the first vCPU's state.

use super::sparse::Sparse;
use super::{BuildError, paging};
use crate::kernel::BzImage;
use crate::kernel::bzimage::ENTRY64;
use crate::kernel::header::{BootParams, E820Entry, LOADER_UNDEFINED};
use crate::layout::{self, Region};
use abi::domain::{BootState, boot_mode};
use std::ops::Range;
use zerocopy::{FromZeros, IntoBytes};

/// Adds the boot data and gives the state of vCPU 0.
pub(super) fn add(
    image: &mut Sparse,
    kernel: &BzImage,
    map: &[Region],
    initrd: Option<&Range<u64>>,
) -> Result<BootState, BuildError> {
    image.add_bytes("the page tables", layout::PAGE_TABLES, paging::identity())?;
    image.add_bytes("boot_params", layout::BOOT_PARAMS, boot_params(kernel, map, initrd).as_bytes().to_vec())?;
    Ok(BootState {
        mode: boot_mode::LONG64,
        rip: kernel.window.start + ENTRY64,
        rsp: layout::STACK_TOP,
        rsi: layout::BOOT_PARAMS,
        cr3: layout::PAGE_TABLES,
        ..BootState::default()
    })
}

fn boot_params(kernel: &BzImage, map: &[Region], initrd: Option<&Range<u64>>) -> BootParams {
    let mut params = BootParams::new_zeroed();
    params.hdr = kernel.header;
    params.hdr.type_of_loader = LOADER_UNDEFINED;
    params.hdr.vid_mode = 0xffff.into();
    params.acpi_rsdp_addr = layout::ACPI.into();
    // Everything lies below 4 GiB, so that the upper halves (ext_*) stay zero.
    let low = |address: u64| u32::try_from(address).unwrap_or(u32::MAX).into();
    params.hdr.code32_start = low(kernel.window.start);
    params.hdr.cmd_line_ptr = low(layout::CMDLINE);
    if let Some(initrd) = initrd {
        params.hdr.ramdisk_image = low(initrd.start);
        params.hdr.ramdisk_size = low(initrd.end - initrd.start);
    }
    for (entry, region) in params.e820_table.iter_mut().zip(map) {
        let kind = if region.usable { 1 } else { 2 };
        *entry = E820Entry { addr: region.start.into(), size: region.len.into(), kind: kind.into() };
        params.e820_entries = params.e820_entries.saturating_add(1);
    }
    params
}
