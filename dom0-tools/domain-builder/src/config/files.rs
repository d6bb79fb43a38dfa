//! Looks at the files that a domain file names.

use super::draft::Draft;
use super::report::{Found, Report};
use crate::build::{BuildError, Image};
use crate::domain::MAX_MEMORY;
use crate::source::{Opened, Source};
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::FileTypeExt;
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
    if kind.is_file() && (meta.len() == 0 || meta.len() % SECTOR != 0) {
        return Err((
            format!("has {} bytes: not a whole number of 512-byte sectors, or none", meta.len()),
            "a disk image is a multiple of 512 bytes",
        ));
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
