//! Stock Linux boots from the image: QEMU's `microvm` with our memory and, instead of firmware, a
//! few instructions that bring the processor into the state that the hypervisor would give it.
//!
//! Linux must accept boot data, memory map and ACPI tables, start both processors, find the
//! devices, run the initial file system, and power off through the sleep register. The kernel is
//! that of [`common::real_kernel`].
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use abi::domain::{BootState, boot_mode};
use abi::platform::SLEEP_CONTROL_PORT;
use domain_builder::Image;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

const MEMORY: u64 = 256 << 20;
/// What Linux writes to the sleep control register: SLP_TYP 5, SLP_EN.
const POWER_OFF: i32 = 5 << 2 | 0x20;

/// A 64 KiB ROM: from the reset vector to 64-bit mode, paging on, at the entry.
fn rom(boot: &BootState) -> Vec<u8> {
    assert_eq!(boot.mode, boot_mode::LONG64);
    let word = |value: u64| u32::try_from(value).unwrap().to_le_bytes();
    let mut code: Vec<u8> = Vec::new();
    // 16 bit: cli; lgdt %cs:0x80; cr0 |= 1; ljmpl $0x8, $0xffff001a
    code.extend([
        0xfa, 0x2e, 0x66, 0x0f, 0x01, 0x16, 0x80, 0x00, 0x0f, 0x20, 0xc0, 0x66, 0x83, 0xc8, 0x01, 0x0f, 0x22, 0xc0,
    ]);
    code.extend([0x66, 0xea, 0x1a, 0x00, 0xff, 0xff, 0x08, 0x00]);
    // 32 bit: ds, es, ss = 0x10; cr4 |= PAE
    code.extend([
        0xb8, 0x10, 0, 0, 0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0, 0x0f, 0x20, 0xe0, 0x83, 0xc8, 0x20, 0x0f, 0x22, 0xe0,
    ]);
    // cr3
    code.push(0xb8);
    code.extend(word(boot.cr3));
    code.extend([0x0f, 0x22, 0xd8]);
    // EFER |= LME; cr0 |= PG
    code.extend([
        0xb9, 0x80, 0, 0, 0xc0, 0x0f, 0x32, 0x0d, 0, 1, 0, 0, 0x0f, 0x30, 0x0f, 0x20, 0xc0, 0x0d, 0, 0, 0, 0x80, 0x0f,
        0x22, 0xc0,
    ]);
    // esp; esi; ljmp $0x18, $rip
    code.push(0xbc);
    code.extend(word(boot.rsp));
    code.push(0xbe);
    code.extend(word(boot.rsi));
    code.push(0xea);
    code.extend(word(boot.rip));
    code.extend([0x18, 0]);
    assert!(code.len() <= 0x60);
    code.resize(0x60, 0);
    // The GDT at 0x60: none, code 32, data, code 64; at 0x80 its limit and base.
    code.extend(
        [0u64, 0x00cf_9a00_0000_ffff, 0x00cf_9200_0000_ffff, 0x00af_9a00_0000_ffff]
            .into_iter()
            .flat_map(u64::to_le_bytes),
    );
    code.extend([31, 0]);
    code.extend(0xffff_0060u32.to_le_bytes());
    code.resize(0x1_0000, 0);
    // The reset vector: a jump to 0.
    code[0xfff0..0xfff3].copy_from_slice(&[0xe9, 0x0d, 0x00]);
    code
}

/// An ELF program that powers the machine off: reboot(MAGIC1, MAGIC2, POWER_OFF).
fn init() -> Vec<u8> {
    let code = [
        0xb8, 0xa9, 0, 0, 0, 0xbf, 0xad, 0xde, 0xe1, 0xfe, 0xbe, 0x69, 0x19, 0x12, 0x28, 0xba, 0xdc, 0xfe, 0x21, 0x43,
        0x0f, 0x05, 0xeb, 0xfe,
    ];
    let (base, header) = (0x40_0000u64, 64 + 56);
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(16, 0);
    elf.extend([2u16, 62].into_iter().flat_map(u16::to_le_bytes));
    elf.extend(1u32.to_le_bytes());
    elf.extend([base + header, 64, 0].into_iter().flat_map(u64::to_le_bytes));
    elf.extend(0u32.to_le_bytes());
    elf.extend([64u16, 56, 1, 0, 0, 0].into_iter().flat_map(u16::to_le_bytes));
    elf.extend([1u32, 5].into_iter().flat_map(u32::to_le_bytes));
    let len = header + code.len() as u64;
    elf.extend([0, base, base, len, len, 4096].into_iter().flat_map(u64::to_le_bytes));
    elf.extend(code);
    elf
}

/// A newc archive (Linux, Documentation/driver-api/early-userspace/buffer-format.rst) with `/init` alone.
fn initrd() -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, mode, content) in [("init", 0o100_755, init()), ("TRAILER!!!", 0, Vec::new())] {
        let fields = [1, mode, 0, 0, 1, 0, content.len(), 0, 0, 0, 0, name.len() + 1, 0];
        archive.extend(b"070701");
        archive.extend(fields.iter().flat_map(|field| format!("{field:08X}").into_bytes()));
        archive.extend(name.bytes().chain([0]));
        archive.resize(archive.len().next_multiple_of(4), 0);
        archive.extend(content);
        archive.resize(archive.len().next_multiple_of(4), 0);
    }
    archive
}

fn write_memory(image: &Image, path: &Path) {
    let file = fs::File::create(path).unwrap();
    file.set_len(MEMORY).unwrap();
    for (gfn, page) in common::load(image, 512, MEMORY).0 {
        file.write_all_at(&page, gfn * 4096).unwrap();
    }
}

#[test]
fn linux_boots_and_powers_off() {
    let Some(kernel) = common::real_kernel("linux_boots_and_powers_off") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("initrd"), initrd()).unwrap();
    let mut domain = common::domain(MEMORY);
    domain.kernel = kernel;
    domain.initrd = Some(path("initrd"));
    // The emulated machine has none of the clocks that the hypervisor gives: any frequency will do.
    domain.cmdline = "earlyprintk=ttyS0 console=ttyS0 tsc_early_khz=2000000 panic=-1".into();
    let image = Image::build(&domain).unwrap();
    write_memory(&image, &path("memory"));
    fs::write(path("rom"), rom(&image.boot)).unwrap();

    let output = Command::new("timeout")
        .args(["180", "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", "256M"])
        .args([
            "-machine",
            "microvm,x-option-roms=off,isa-serial=on,rtc=off,pit=off,pic=off,acpi=off,auto-kernel-cmdline=off,memory-backend=m",
        ])
        .arg("-object")
        .arg(format!("memory-backend-file,id=m,mem-path={},size=256M,share=off", path("memory").display()))
        .arg("-bios")
        .arg(path("rom"))
        .args(["-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot", "-device"])
        .arg(format!("isa-debug-exit,iobase={SLEEP_CONTROL_PORT:#x},iosize=1"))
        .output()
        .expect("qemu-system-x86_64 is needed for this test: install the package qemu-system-x86");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!(output.status.code(), Some(POWER_OFF << 1 | 1), "{said}");
    for line in [
        "[mem 0x0000000000100000-0x000000000fffffff] usable",
        "smp: Brought up 1 node, 2 CPUs",
        "1 ACPI AML tables successfully acquired and loaded",
        "ACPI: PM: (supports S0 S5)",
        "Run /init as init process",
        "reboot: Power down",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    for bad in ["ACPI Error", "ACPI BIOS Error", "ACPI Warning", "firmware bug"] {
        assert!(!said.contains(bad), "{bad}\n{said}");
    }
}
