//! A bzImage's first memory, as the kernel will find it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::cast_possible_wrap)]

mod common;

use abi::domain::boot_mode;
use common::{INIT_SIZE, LOAD, Memory, bzimage, domain, load};
use domain_builder::source::Source;
use domain_builder::{BuildError, Image, layout};
use proptest::prelude::*;
use std::sync::Arc;

const MIB: u64 = 1 << 20;

fn assemble(memory: u64, initrd: usize) -> Result<Image, BuildError> {
    let initrd: Vec<u8> = (0..initrd).map(|n| (n % 251) as u8 + 1).collect();
    let initrd = (!initrd.is_empty()).then(|| Arc::new(initrd) as Arc<dyn Source>);
    Image::assemble(&domain(memory), Arc::new(bzimage(5000)), initrd)
}

#[test]
fn boot_params_tell_where_everything_is() {
    let image = assemble(64 * MIB, 100_000).unwrap();
    let memory = load(&image, 512, 64 * MIB);
    let params = memory.boot_params(image.boot.rsi);
    assert_eq!(params.hdr.header, *b"HdrS");
    assert_eq!(params.hdr.type_of_loader, 0xff);
    assert_eq!(memory.text(params.hdr.cmd_line_ptr.get().into()), "console=ttyS0 quiet");
    let (start, len) = (u64::from(params.hdr.ramdisk_image.get()), params.hdr.ramdisk_size.get() as usize);
    assert_eq!((start % 4096, len), (0, 100_000));
    assert!(start >= LOAD + INIT_SIZE && start + 100_000 <= 64 * MIB);
    assert!(memory.bytes(start, len).iter().enumerate().all(|(n, &b)| b == (n % 251) as u8 + 1));
    assert_eq!(memory.bytes(params.acpi_rsdp_addr.get(), 8), b"RSD PTR ");
    let map: Vec<_> = params.e820_table[..usize::from(params.e820_entries)]
        .iter()
        .map(|e| (e.addr.get(), e.size.get(), e.kind.get()))
        .collect();
    assert_eq!(map, [(0, 0x9fc00, 1), (0x9fc00, 0x60400, 2), (MIB, 63 * MIB, 1)]);
}

#[test]
fn the_kernel_is_at_its_address_and_entered_at_0x200() {
    let image = assemble(64 * MIB, 0).unwrap();
    assert_eq!((image.boot.mode, image.boot.rip), (boot_mode::LONG64, LOAD + 0x200));
    let memory = load(&image, 3, 64 * MIB);
    assert_eq!(memory.bytes(LOAD, 16), 1u128.to_le_bytes());
    assert_eq!(memory.bytes(LOAD + 4999 * 16, 16), 5000u128.to_le_bytes());
    assert_eq!(memory.bytes(LOAD + 5000 * 16, 16), [0; 16]);
    assert_eq!(memory.boot_params(image.boot.rsi).hdr.ramdisk_size.get(), 0);
}

fn walk(memory: &Memory, root: u64, address: u64) -> Option<u64> {
    let mut table = root;
    for shift in [39, 30, 21] {
        let entry = memory.u64(table + (address >> shift & 511) * 8);
        if entry & 3 != 3 {
            return None;
        }
        if entry & 0x80 != 0 {
            assert_eq!(shift, 21, "1 GiB pages are not on every processor");
            return Some((entry & 0x000f_ffff_ffe0_0000) + (address & 0x1f_ffff));
        }
        table = entry & 0x000f_ffff_ffff_f000;
    }
    None
}

#[test]
fn page_tables_map_the_low_4_gib_one_to_one() {
    let image = assemble(64 * MIB, 0).unwrap();
    let memory = load(&image, 512, 64 * MIB);
    for address in [0, 0x7000, 0xfffff, LOAD, LOAD + 0x201, 0xbfff_ffff, 0xfec0_0000, 0xffff_ffff] {
        assert_eq!(walk(&memory, image.boot.cr3, address), Some(address), "{address:#x}");
    }
    for address in [1 << 32, 1 << 39, 0xffff_8000_0000_0000] {
        assert_eq!(walk(&memory, image.boot.cr3, address), None, "{address:#x}");
    }
}

#[test]
fn high_memory_is_in_the_map_and_the_initrd_below_it() {
    let gib = 1 << 30;
    let image = assemble(6 * gib, 5 * MIB as usize).unwrap();
    let memory = load(&image, 512, 6 * gib);
    let params = memory.boot_params(image.boot.rsi);
    assert_eq!(params.e820_table[3].addr.get(), 4 * gib);
    assert_eq!(params.e820_table[3].size.get(), 3 * gib);
    let end = u64::from(params.hdr.ramdisk_image.get()) + 5 * MIB;
    assert_eq!(end, 0x8000_0000, "initrd_addr_max must be respected");
}

#[test]
fn too_little_memory_says_how_much_is_needed() {
    let needed = LOAD + INIT_SIZE + 4 * MIB;
    assert!(assemble(needed, 4 * MIB as usize).is_ok());
    let error = assemble(needed - 4096, 4 * MIB as usize).unwrap_err();
    assert!(matches!(error, BuildError::Memory { needed: n } if n == needed), "{error}");
    assert_eq!(error.key(), "memory");
}

#[test]
fn a_long_command_line_is_refused() {
    let mut domain = domain(64 * MIB);
    domain.cmdline = "x".repeat(2048);
    let error = Image::assemble(&domain, Arc::new(bzimage(5000)), None).unwrap_err();
    assert!(matches!(error, BuildError::Cmdline { len: 2048, max: 2047 }));
}

#[test]
fn a_file_that_shrinks_is_an_error_not_a_panic() {
    #[derive(Debug)]
    struct Shrinks(Vec<u8>);
    impl Source for Shrinks {
        fn size(&self) -> u64 {
            self.0.len() as u64
        }
        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<()> {
            if offset > 30_000 { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { self.0.read_at(offset, buffer) }
        }
    }
    let image = Image::assemble(&domain(64 * MIB), Arc::new(Shrinks(bzimage(5000))), None).unwrap();
    let mut pieces = image.pieces();
    let mut buffer = vec![0; 4096];
    let error = loop {
        match pieces.next(&mut buffer) {
            Ok(piece) => assert!(piece.is_some()),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, BuildError::Read { what: "the kernel", .. }), "{error}");
}

#[test]
fn the_installed_kernel_is_accepted() {
    let Some(path) = common::real_kernel("the_installed_kernel_is_accepted") else { return };
    let mut domain = domain(256 * MIB);
    domain.kernel = path;
    domain.initrd = None;
    let image = Image::build(&domain).unwrap();
    let memory = load(&image, 512, 256 * MIB);
    assert_eq!(memory.boot_params(image.boot.rsi).hdr.header, *b"HdrS");
    assert_ne!(memory.bytes(image.boot.rip, 16), [0; 16]);
    assert_eq!(layout::BOOT_PARAMS, image.boot.rsi);
}

proptest! {
    #[test]
    fn the_size_of_the_buffer_does_not_matter(pages in 1usize..40, initrd in 0usize..60_000) {
        let image = assemble(64 * MIB, initrd).unwrap();
        prop_assert_eq!(load(&image, pages, 64 * MIB).0, load(&image, 512, 64 * MIB).0);
    }
}
