//! Looks at the files that a domain file names.

use super::draft::Draft;
use super::report::{Found, Report};
use crate::build::{BuildError, Image};
use crate::domain::MAX_MEMORY;
use crate::source::{Opened, Source};
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

const SECTOR: u64 = 512;

/// Reports files that are missing or do not serve.
pub(super) fn look(report: &mut Report, draft: &Draft) {
    kernel_and_initrd(report, draft);
    for disk in &draft.disks {
        let Some(path) = &disk.path else { continue };
        if let Err((message, hint)) = disk_file(&path.value, disk.readonly) {
            report.at(path, format!("{}: {message}", path.value.display()), hint);
        }
    }
}

/// Builds the image, which reads headers only, and blames the key that is at fault. A kernel, an
/// initrd and a command line are each looked at even if another one is wrong.
fn kernel_and_initrd(report: &mut Report, draft: &Draft) {
    let initrd = draft.initrd.as_ref();
    if let Some(found) = initrd
        && let Err(error) = readable(&found.value)
    {
        report_build(report, draft, &BuildError::Initrd { path: found.value.clone(), message: error });
    }
    let Some(kernel) = &draft.kernel else { return };
    let mut domain = draft.sketch(&kernel.value);
    if initrd.is_some_and(|found| readable(&found.value).is_err()) {
        domain.initrd = None;
    }
    if let Err(error) = Image::build(&domain) {
        report_build(report, draft, &error);
        // A wrong command line hides whether the rest fits.
        if matches!(error, BuildError::Cmdline { .. }) {
            domain.cmdline.clear();
            if let Err(error) = Image::build(&domain) {
                report_build(report, draft, &error);
            }
        }
    }
}

fn readable(path: &Path) -> Result<(), String> {
    let file = Opened::new(path).map_err(|error| format!("cannot be read: {error}"))?;
    if file.size() == 0 { Err("is empty".to_owned()) } else { Ok(()) }
}

fn report_build(report: &mut Report, draft: &Draft, error: &BuildError) {
    fn place<T>(found: Option<&Found<T>>) -> Option<std::ops::Range<usize>> {
        found.map(|found| found.span.clone())
    }
    let span = match error.key() {
        "initrd" => place(draft.initrd.as_ref()),
        "cmdline" => place(draft.cmdline.as_ref()),
        "memory" => place(draft.memory.as_ref()),
        _ => place(draft.kernel.as_ref()),
    };
    report.add(span, error.key(), error.to_string(), error.hint());
}

impl Draft {
    /// Enough of a domain to try to build its image; a memory size that is missing or wrong is
    /// taken as large, so that only what else is wrong is found.
    fn sketch(&self, kernel: &Path) -> crate::Domain {
        let memory = self
            .memory
            .as_ref()
            .map(|found| found.value)
            .filter(|bytes| (crate::domain::MIN_MEMORY..=MAX_MEMORY).contains(bytes));
        crate::Domain {
            name: String::new(),
            vcpus: self.vcpus,
            memory: memory.unwrap_or(MAX_MEMORY),
            limit: 0,
            kernel: kernel.to_owned(),
            initrd: self.initrd.as_ref().map(|found| found.value.clone()),
            cmdline: self.cmdline.as_ref().map(|found| found.value.clone()).unwrap_or_default(),
            disks: Vec::new(),
            console: self.console,
            entropy: self.entropy,
            balloon: self.balloon,
            on_reboot: self.on_reboot,
            on_crash: self.on_crash,
            reconcile: self.reconcile,
        }
    }
}

type Refusal = (String, &'static str);

fn disk_file(path: &PathBuf, readonly: bool) -> Result<(), Refusal> {
    let meta = fs::metadata(path).map_err(|error| {
        let hint = match error.kind() {
            ErrorKind::NotFound => "create it, for example with `truncate -s 1G FILE`, or correct the path",
            _ => "correct the path or the permissions",
        };
        (format!("cannot be read: {error}"), hint)
    })?;
    let kind = meta.file_type();
    if !kind.is_file() && !kind.is_block_device() {
        return Err(("is neither a regular file nor a block device".to_owned(), "give a raw image or a block device"));
    }
    let mut file = File::options()
        .read(true)
        // Closing a block device that was open for writing makes udev look at it anew.
        .write(!readonly && kind.is_file())
        .open(path)
        .map_err(|error| (format!("cannot be opened: {error}"), "correct the permissions, or set readonly = true"))?;
    let size = file.seek(SeekFrom::End(0)).and_then(|size| file.rewind().map(|()| size));
    let size = size.map_err(|error| (format!("has no size: {error}"), "check the disk"))?;
    if size == 0 || size % SECTOR != 0 {
        return Err((
            format!("has {size} bytes: not a whole number of 512-byte sectors, or none"),
            "a disk is a multiple of 512 bytes; a device may lack its medium",
        ));
    }
    if !readonly && kind.is_block_device() && is_protected(Path::new("/sys/dev/block"), meta.rdev()) {
        return Err(("is a read-only device".to_owned(), "set readonly = true, or lift that with `blockdev --setrw`"));
    }
    let mut magic = [0; 4];
    let raw = "convert it with `qemu-img convert -O raw OLD NEW`; only raw images are supported";
    match file.read_exact(&mut magic) {
        Ok(()) if magic == *b"QFI\xfb" => Err(("is a qcow2 image".to_owned(), raw)),
        Ok(()) if magic == *b"KDMV" => Err(("is a VMDK image".to_owned(), raw)),
        Ok(()) => Ok(()),
        Err(error) => Err((format!("cannot be read: {error}"), "check the disk")),
    }
}

/// True if the kernel lets nobody write this block device, by its folder (`major:minor`) in `devices`.
fn is_protected(devices: &Path, device: u64) -> bool {
    // As the kernel gives numbers to programs (makedev(3)).
    let major = device >> 8 & 0xfff | device >> 32 & 0xffff_f000;
    let minor = device & 0xff | device >> 12 & 0xffff_ff00;
    fs::read_to_string(devices.join(format!("{major}:{minor}/ro"))).is_ok_and(|flag| flag.trim() == "1")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_block_device_that_the_kernel_protects_is_told_by_its_numbers() {
        let devices = tempfile::tempdir().unwrap();
        for (folder, flag) in [("8:17", "1\n"), ("8:18", "0\n"), ("259:70000", "1\n")] {
            fs::create_dir(devices.path().join(folder)).unwrap();
            fs::write(devices.path().join(folder).join("ro"), flag).unwrap();
        }
        // 70000 is 0x11170: its upper bits are above the major number's lower ones.
        let numbers = [0x811, 0x812, 0x813, 0x1111_0370];
        assert_eq!(numbers.map(|device| is_protected(devices.path(), device)), [true, false, false, true]);
    }
}
