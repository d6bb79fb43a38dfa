//! Corrupt kernels: never a panic, never much memory, never a piece outside the domain.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{bzimage, domain, load, pvh};
use domain_builder::Image;
use domain_builder::kernel::{BzImage, Kernel, KernelError};
use proptest::prelude::*;
use std::sync::Arc;

const MEMORY: u64 = 48 << 20;

/// Whatever is accepted must load inside the memory.
fn try_it(file: Vec<u8>) {
    if let Ok(image) = Image::assemble(&domain(MEMORY), Arc::new(file), Some(Arc::new(vec![1; 9000]))) {
        load(&image, 64, MEMORY);
    }
}

fn refused(at: usize, bytes: &[u8]) -> String {
    let mut file = bzimage(5000);
    file[at..at + bytes.len()].copy_from_slice(bytes);
    BzImage::read(&file).unwrap_err().to_string()
}

#[test]
fn fields_are_named() {
    assert!(BzImage::read(&bzimage(5000)).is_ok());
    assert!(refused(0x1fe, &[0, 0]).contains("not a kernel"));
    assert!(refused(0x202, b"XXXX").contains("not a kernel"));
    assert!(refused(0x206, &0x20bu16.to_le_bytes()).contains("older than 2.12"));
    assert!(refused(0x211, &[0]).contains("zImage"));
    assert!(refused(0x236, &[0, 0]).contains("64-bit entry"));
    assert!(refused(0x1f4, &0u32.to_le_bytes()).contains("syssize"));
    assert!(refused(0x1f4, &6000u32.to_le_bytes()).contains("cut"));
    assert!(refused(0x201, &[0x10]).contains("jump"));
    assert!(refused(0x230, &3u32.to_le_bytes()).contains("kernel_alignment"));
    assert!(refused(0x258, &(1u64 << 40).to_le_bytes()).contains("pref_address"));
    assert!(refused(0x260, &16u32.to_le_bytes()).contains("init_size"));
    assert!(refused(0x22c, &0u32.to_le_bytes()).contains("initrd_addr_max"));
    assert!(refused(0x248, &u32::MAX.to_le_bytes()).contains("payload_offset"));
    assert!(refused(0x24c, &u32::MAX.to_le_bytes()).contains("payload_length"));
    assert!(refused(4 * 512 + 0x240, &[0; 8]).contains("payload's first bytes"));
}

#[test]
fn every_cut_is_refused() {
    for file in [bzimage(100), pvh(&[1; 3000], &0x10_0000u32.to_le_bytes())] {
        for len in 0..file.len() {
            assert!(Kernel::read(&file[..len].to_vec()).is_err(), "{len}");
        }
        assert!(Kernel::read(&file).is_ok());
    }
}

#[test]
fn things_that_are_no_kernels() {
    for file in [Vec::new(), b"\x7fELF".to_vec(), b"MZ".to_vec(), vec![0; 100_000], vec![0xff; 100_000]] {
        let error = Kernel::read(&file).unwrap_err();
        assert!(matches!(error, KernelError::NotAKernel), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn flipped_headers_of_a_bzimage(flips in proptest::collection::vec((0x1f0usize..0x270, any::<u8>()), 1..6)) {
        let mut file = bzimage(1000);
        for (at, value) in flips {
            file[at] = value;
        }
        try_it(file);
    }

    #[test]
    fn flipped_headers_of_an_elf(flips in proptest::collection::vec((0usize..0x100, any::<u8>()), 1..6)) {
        let mut file = pvh(&[1; 3000], &0x10_0000u32.to_le_bytes());
        for (at, value) in flips {
            file[at] = value;
        }
        try_it(file);
    }

    #[test]
    fn noise_behind_a_magic(noise in proptest::collection::vec(any::<u8>(), 0..2000)) {
        try_it([b"\x7fELF\x02\x01\x01".as_slice(), &noise].concat());
        try_it(noise);
    }
}
