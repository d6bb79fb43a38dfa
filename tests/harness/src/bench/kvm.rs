//! The peer: the same kernel without a hypervisor, and KVM in it with QEMU's microvm as its VMM.
//!
//! QEMU, its libraries and KVM's modules come from this host and go in through `/share`.

use super::samples::Samples;
use crate::{
    command,
    image::module_paths,
    lab::{Experiment, Lab},
    setup::{Flavour, installed_kernel},
    tree,
};
use anyhow::{Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const QEMU: &str = "/usr/bin/qemu-system-x86_64";
/// What a microvm needs to start a kernel by PVH or by Linux' boot protocol.
const FIRMWARE: [&str; 4] = [
    "/usr/share/qemu/pvh.bin",
    "/usr/share/qemu/linuxboot_dma.bin",
    "/usr/share/qemu/qboot.rom",
    "/usr/share/seabios/bios-microvm.bin",
];
/// With and without nested paging the modules are the same.
const MODULES: [&str; 2] = ["kvm", "kvm_amd"];

const SCRIPT: &str = r#"
[ -d /share/modules ] || exit 0
. /share/measure.sh
. /share/guests.sh
for module in /share/modules/*; do insmod "$module" || exit 1; done
# Not on the first CPU: it cannot run guests reliably while the other one works (docs/decisions/0011).
vmm() {
    timeout $limit taskset 6 /share/lib/loader --library-path /share/lib /share/qemu -L /share/firmware -M microvm -accel kvm -cpu host \
        -nodefaults -no-user-config -display none -no-reboot -serial stdio "$@" </dev/null
}
boot() {
    limit=80
    start=$(now)
    vmm -m 256 -kernel /usr/share/hypercube/guest/vmlinuz -initrd /usr/share/hypercube/guest/initrd \
        -append "$guest_words $* hypercube.exec=" | until_up guest_boot "$start"
}
exits() {
    limit=40
    vmm -m 64 -kernel /share/testguest -append "benchmark-exits awake=1" -device isa-debug-exit,iobase=0xf4
    # The test guest's way to say that it passed.
    [ $? = 1 ]
}
# A guest of KVM sometimes stops for good here: QEMU's emulation forgets the shadow of STI, and an idle loop sleeps
# through its interrupt. With a tick that never stops it wakes up again; the test guest stays awake.
failed() {
    echo "KVM's guest has not come to its end in several tries: try again, or leave KVM out with --no-kvm" >&2
    exit 1
}
boot || boot nohz=off || boot nohz=off || failed
exits || exits || failed
exit 0
"#;

/// Makes the folder that becomes `/share`.
pub fn prepare(lab: &Lab<'_>, folder: &Path) -> Result<PathBuf> {
    let share = tree::create(&folder.join("kvm"))?;
    let (libraries, firmware, modules) = (
        tree::create(&share.join("lib"))?,
        tree::create(&share.join("firmware"))?,
        tree::create(&share.join("modules"))?,
    );
    fs::copy(QEMU, share.join("qemu")).context(QEMU)?;
    for file in FIRMWARE {
        copy_into(Path::new(file), &firmware)?;
    }
    for line in command::output(Command::new("ldd").arg(QEMU))?.lines() {
        let Some(path) = line.split_whitespace().find(|word| word.starts_with('/')) else { continue };
        copy_into(Path::new(path), &libraries)?;
        if path.contains("ld-linux") {
            fs::copy(path, libraries.join("loader"))?;
        }
    }
    let kernel = installed_kernel(lab.tree, Flavour::Cloud)?;
    for (number, path) in module_paths(&kernel, &MODULES)?.iter().enumerate() {
        let name = path.rsplit('/').next().unwrap_or(path);
        fs::copy(kernel.modules.join(path), modules.join(format!("{number:02}-{name}")))?;
    }
    let guest = lab.built.bare_metal.get("testguest").context("the test guest was not built")?;
    fs::copy(guest, share.join("testguest"))?;
    let library = lab.tree.root.join("tests/scenarios/library");
    for script in ["measure.sh", "guests.sh"] {
        copy_into(&library.join(script), &share)?;
    }
    Ok(share)
}

fn copy_into(file: &Path, folder: &Path) -> Result<()> {
    let name = file.file_name().with_context(|| file.display().to_string())?;
    fs::copy(file, folder.join(name)).with_context(|| file.display().to_string())?;
    Ok(())
}

/// Boots once and adds what was measured.
pub fn measure(lab: &Lab<'_>, share: Option<&Path>, samples: &mut Samples) -> Result<()> {
    let share = share.map(|share| format!("--share={}", share.display()));
    let words: Vec<&str> = ["--bare", "--smp=3"].into_iter().chain(share.as_deref()).collect();
    let experiment = Experiment { words: &words, script: SCRIPT, timeout: Duration::from_secs(600) };
    let ready = lab.run(&experiment, &mut |line| samples.take(line))?;
    samples.add("dom0_shell", ready.as_secs_f64() * 1000.0);
    Ok(())
}
