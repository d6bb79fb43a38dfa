//! Makes kernels and domains for the tests, and finds a real kernel.
#![allow(dead_code)]

use domain_builder::kernel::header::{BootParams, SETUP_HEADER, SetupHeader};
use domain_builder::{Domain, Image, Policy, Reconcile};
use std::io::Write;
use std::path::PathBuf;
use zerocopy::{FromBytes, FromZeros, IntoBytes};

/// Where synthetic kernels want to be loaded.
pub const LOAD: u64 = 16 << 20;
/// What they need there.
pub const INIT_SIZE: u64 = 8 << 20;
/// Sectors before the protected-mode part, less one.
pub const SETUP_SECTS: u8 = 3;

/// The bzImage that `HYPERCUBE_TEST_KERNEL` names, which `./scripts/test` sets. Without it the test
/// has nothing to look at, and must say that it is skipped.
pub fn real_kernel(test: &str) -> Option<PathBuf> {
    let kernel = std::env::var_os("HYPERCUBE_TEST_KERNEL").map(PathBuf::from);
    if kernel.is_none() {
        // Not `eprintln`: what a passing test prints that way is not shown.
        let _ = writeln!(std::io::stderr(), "SKIPPED {test}: set HYPERCUBE_TEST_KERNEL to a bzImage");
    }
    kernel
}

/// A well-formed bzImage whose protected-mode part has `units` times 16 bytes, each numbered.
pub fn bzimage(units: u32) -> Vec<u8> {
    let mut header = SetupHeader::new_zeroed();
    header.setup_sects = SETUP_SECTS;
    header.syssize = units.into();
    header.boot_flag = 0xaa55.into();
    header.jump = [0xeb, 0x6a];
    header.header = *b"HdrS";
    header.version = 0x20f.into();
    header.loadflags = 1;
    header.initrd_addr_max = 0x7fff_ffff.into();
    header.kernel_alignment = (2 << 20).into();
    header.relocatable_kernel = 1;
    header.xloadflags = 0x7f.into();
    header.cmdline_size = 2047.into();
    header.payload_offset = 0x240.into();
    header.payload_length = (units * 16 - 0x240).into();
    header.pref_address = LOAD.into();
    header.init_size = u32::try_from(INIT_SIZE).unwrap().into();
    let mut file = vec![0; usize::from(SETUP_SECTS + 1) * 512];
    file[SETUP_HEADER as usize..][..size_of::<SetupHeader>()].copy_from_slice(header.as_bytes());
    for n in 0..units {
        file.extend_from_slice(&u128::from(n + 1).to_le_bytes());
    }
    let payload = usize::from(SETUP_SECTS + 1) * 512 + 0x240;
    file[payload..payload + 4].copy_from_slice(&[0x28, 0xb5, 0x2f, 0xfd]);
    file
}

/// A well-formed 64-bit ELF kernel with one segment of `code` bytes (and as many of zeroes) at
/// 1 MiB and a PVH note whose descriptor is `note`.
pub fn pvh(code: &[u8], note: &[u8]) -> Vec<u8> {
    let mut notes = Vec::new();
    for word in [4, note.len() as u32, 18] {
        notes.extend_from_slice(&word.to_le_bytes());
    }
    notes.extend_from_slice(b"Xen\0");
    notes.extend_from_slice(note);
    let (notes_at, code_at) = (64 + 2 * 56, 0x1000);
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    file.extend([2u16, 62].into_iter().flat_map(u16::to_le_bytes));
    file.extend(1u32.to_le_bytes());
    file.extend([0u64, 64, 0].into_iter().flat_map(u64::to_le_bytes));
    file.extend(0u32.to_le_bytes());
    file.extend([64u16, 56, 2, 0, 0, 0].into_iter().flat_map(u16::to_le_bytes));
    let mut header = |kind: u32, offset: u64, address: u64, len: u64, memory: u64, align: u64| {
        file.extend([kind, 7].into_iter().flat_map(u32::to_le_bytes));
        file.extend([offset, address, address, len, memory, align].into_iter().flat_map(u64::to_le_bytes));
    };
    header(1, code_at, 1 << 20, code.len() as u64, code.len() as u64 * 2, 4096);
    header(4, notes_at, 0, notes.len() as u64, notes.len() as u64, 4);
    assert_eq!(file.len() as u64, notes_at);
    file.extend(notes);
    file.resize(code_at as usize, 0);
    file.extend_from_slice(code);
    file
}

/// A domain with all devices and `memory` bytes.
pub fn domain(memory: u64) -> Domain {
    Domain {
        name: "test".into(),
        vcpus: 2,
        memory,
        limit: memory,
        kernel: "kernel".into(),
        initrd: Some("initrd".into()),
        cmdline: "console=ttyS0 quiet".into(),
        disks: Vec::new(),
        console: true,
        entropy: true,
        balloon: true,
        on_reboot: Policy::Destroy,
        on_crash: Policy::Destroy,
        reconcile: Reconcile::default(),
    }
}

/// What the hypervisor would have been given: bytes by page. Checks that pieces ascend, do not
/// overlap and stay inside the memory.
pub fn load(image: &Image, buffer_pages: usize, memory: u64) -> Memory {
    let mut buffer = vec![0xee; buffer_pages * 4096];
    let mut pieces = image.pieces();
    let (mut pages, mut next) = (std::collections::BTreeMap::new(), 0);
    while let Some(piece) = pieces.next(&mut buffer).unwrap() {
        assert!(
            piece.gfn >= next && piece.pages >= 1 && piece.pages as usize <= buffer_pages,
            "{piece:?} after {next:#x}"
        );
        next = piece.gfn + piece.pages;
        assert!(next * 4096 <= memory.min(abi::platform::LOW_RAM_END), "{piece:?}");
        for (n, page) in buffer.chunks(4096).take(piece.pages as usize).enumerate() {
            pages.insert(piece.gfn + n as u64, page.to_vec());
        }
    }
    Memory(pages)
}

/// Guest memory: pages that were loaded, zero elsewhere.
pub struct Memory(pub std::collections::BTreeMap<u64, Vec<u8>>);

impl Memory {
    pub fn bytes(&self, address: u64, len: usize) -> Vec<u8> {
        let byte = |a: u64| self.0.get(&(a / 4096)).map_or(0, |page| page[(a % 4096) as usize]);
        (address..address + len as u64).map(byte).collect()
    }

    pub fn u64(&self, address: u64) -> u64 {
        u64::from_le_bytes(self.bytes(address, 8).try_into().unwrap())
    }

    pub fn u32(&self, address: u64) -> u32 {
        u32::from_le_bytes(self.bytes(address, 4).try_into().unwrap())
    }

    pub fn text(&self, address: u64) -> String {
        let bytes = self.bytes(address, 65536);
        String::from_utf8(bytes.into_iter().take_while(|&b| b != 0).collect()).unwrap()
    }

    pub fn boot_params(&self, address: u64) -> BootParams {
        BootParams::read_from_bytes(&self.bytes(address, 4096)).unwrap()
    }
}
