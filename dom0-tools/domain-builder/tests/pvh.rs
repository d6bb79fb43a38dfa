//! A PVH kernel's first memory, as the kernel will find it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use abi::domain::boot_mode;
use common::{domain, load, pvh};
use domain_builder::kernel::{KernelError, Pvh};
use domain_builder::{BuildError, Image};
use std::sync::Arc;

const MIB: u64 = 1 << 20;

fn code() -> Vec<u8> {
    (0..10_000u32).map(|n| (n % 255) as u8 + 1).collect()
}

fn refused(file: Vec<u8>) -> String {
    Pvh::read(&file).unwrap_err().to_string()
}

#[test]
fn the_start_info_tells_where_everything_is() {
    let file = pvh(&code(), &0x10_0040u32.to_le_bytes());
    let image = Image::assemble(&domain(16 * MIB), Arc::new(file), Some(Arc::new(vec![7; 5000]))).unwrap();
    assert_eq!((image.boot.mode, image.boot.rip), (boot_mode::PROTECTED32, 0x10_0040));
    let memory = load(&image, 16, 16 * MIB);
    let info = image.boot.rbx;
    assert_eq!((memory.u32(info), memory.u32(info + 4), memory.u32(info + 12)), (0x336e_c578, 1, 1));
    let module = memory.u64(info + 16);
    assert_eq!(memory.bytes(memory.u64(module), 5001)[4999..], [7, 0]);
    assert_eq!(memory.u64(module + 8), 5000);
    assert_eq!(memory.text(memory.u64(info + 24)), "console=ttyS0 quiet");
    assert_eq!(memory.bytes(memory.u64(info + 32), 8), b"RSD PTR ");
    let (map, entries) = (memory.u64(info + 40), u64::from(memory.u32(info + 48)));
    let total: u64 = (0..entries).map(|n| memory.u64(map + n * 24 + 8)).sum();
    assert_eq!((entries, total), (3, 16 * MIB));
    assert_eq!(memory.bytes(MIB, 10_000), code());
}

#[test]
fn without_an_initrd_there_is_no_module() {
    let file = pvh(&code(), &0x10_0000u64.to_le_bytes());
    let mut domain = domain(2 * MIB);
    domain.initrd = None;
    let image = Image::assemble(&domain, Arc::new(file), None).unwrap();
    let memory = load(&image, 16, 2 * MIB);
    assert_eq!((memory.u32(image.boot.rbx + 12), memory.u64(image.boot.rbx + 16)), (0, 0));
}

#[test]
fn corrupt_fields_are_named() {
    let good = pvh(&code(), &0x10_0000u32.to_le_bytes());
    let with = |at: usize, bytes: &[u8]| {
        let mut file = good.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        refused(file)
    };
    assert!(with(18, &40u16.to_le_bytes()).contains("e_machine"));
    assert!(with(54, &57u16.to_le_bytes()).contains("e_phentsize"));
    assert!(with(56, &u16::MAX.to_le_bytes()).contains("e_phnum"));
    assert!(with(64 + 24, &0u64.to_le_bytes()).contains("p_paddr"));
    assert!(with(64 + 40, &u64::MAX.to_le_bytes()).contains("p_paddr"));
    assert!(with(64 + 32, &(1u64 << 40).to_le_bytes()).contains("p_filesz"));
    assert!(with(64 + 8, &u64::MAX.to_le_bytes()).contains("cut"));
    assert!(with(120 + 32, &(1u64 << 40).to_le_bytes()).contains("p_filesz"));
    assert!(refused(pvh(&code(), &0x20_0000u32.to_le_bytes())).contains("PVH entry"));
    assert!(refused(pvh(&code(), &[0; 3])).contains("note's length"));
    assert!(matches!(Pvh::read(&good[..good.len() - 1].to_vec()), Err(KernelError::Cut { .. })));
    assert!(with(64 + 56, &0u32.to_le_bytes()).contains("no PVH entry note"));
}

#[test]
fn a_kernel_that_does_not_fit_names_the_memory() {
    let file = pvh(&vec![1; 2 << 20], &0x10_0000u32.to_le_bytes());
    let mut domain = domain(4 * MIB);
    domain.initrd = None;
    let error = Image::assemble(&domain, Arc::new(file), None).unwrap_err();
    assert!(matches!(error, BuildError::Memory { needed } if needed == 5 * MIB), "{error}");
}
