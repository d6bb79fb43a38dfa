//! Debian's stock kernel, unpacked without being installed.

use crate::{command, tree::Tree};
use anyhow::{Context, Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Which of Debian's kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// Small and quick to unpack; no AHCI.
    Cloud,
    /// With every driver.
    Generic,
}

impl Flavour {
    /// Folder name, and the Debian package that depends on the newest kernel of this flavour.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Cloud => ("kernel-cloud", "linux-image-cloud-amd64"),
            Self::Generic => ("kernel-generic", "linux-image-amd64"),
        }
    }
}

/// An unpacked kernel package.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// The bzImage.
    pub image: PathBuf,
    /// `lib/modules/RELEASE`, with `modules.dep`.
    pub modules: PathBuf,
    /// Its `uname -r`.
    pub release: String,
}

/// Gives the kernel, fetching it if it is not there.
pub fn fetch(tree: &Tree, flavour: Flavour) -> Result<Kernel> {
    let (folder, meta) = flavour.names();
    let folder = tree.folder(folder)?;
    let stamp = folder.join("release");
    if let Ok(release) = fs::read_to_string(&stamp) {
        let kernel = Kernel::in_folder(&folder, &release);
        if kernel.modules.join("modules.dep").exists() {
            return Ok(kernel);
        }
    }
    let package = newest(meta)?;
    eprintln!("fetching {package} (the kernel of dom0 and guests)");
    download(&folder, &package)?;
    let release = package.trim_start_matches("linux-image-").to_owned();
    let kernel = Kernel::in_folder(&folder, &release);
    command::run(Command::new("busybox").args(["depmod", "-b"]).arg(folder.join("root")).arg(&release))?;
    fs::write(stamp, release)?;
    Ok(kernel)
}

impl Kernel {
    fn in_folder(folder: &Path, release: &str) -> Self {
        Self {
            image: folder.join(format!("root/boot/vmlinuz-{release}")),
            modules: folder.join("root/lib/modules").join(release),
            release: release.to_owned(),
        }
    }
}

fn newest(meta: &str) -> Result<String> {
    let depends = command::output(Command::new("apt-cache").args(["depends", meta]))?;
    let found = depends
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "))
        .find(|name| name.starts_with("linux-image-"));
    found.map(str::to_owned).with_context(|| format!("apt knows no {meta}; run 'apt-get update' and try again"))
}

fn download(folder: &Path, package: &str) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            fs::remove_file(path)?;
        }
    }
    let fetched = command::run(Command::new("apt-get").args(["download", "-qq", package]).current_dir(folder));
    fetched.with_context(|| format!("cannot fetch {package}; run 'apt-get update' and try again"))?;
    let deb = fs::read_dir(folder)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"));
    let Some(deb) = deb else { bail!("apt-get download {package} left no package in {}", folder.display()) };
    command::run(Command::new("dpkg").arg("-x").arg(&deb).arg(folder.join("root")))?;
    fs::remove_file(deb)?;
    Ok(())
}
