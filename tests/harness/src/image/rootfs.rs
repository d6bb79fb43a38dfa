//! What every initramfs of ours has: busybox with all its applets, and a few files in /etc.

use super::archive::Archive;
use crate::command;
use anyhow::{Context, Result};
use std::{fs, process::Command};

/// The host's static busybox.
const BUSYBOX: &str = "/bin/busybox";
const PASSWD: &str = "root::0:0:root:/root:/bin/sh\n";
const GROUP: &str = "root:x:0:\n";

/// An archive with just enough of a system to run shell commands.
pub fn minimal() -> Result<Archive> {
    let mut root = Archive::default();
    for folder in ["dev", "etc", "mnt", "proc", "root", "run", "sys", "tmp", "usr/bin", "var/log"] {
        root.folder(folder);
    }
    root.character_device("dev/console", 5, 1);
    root.file("etc/passwd", 0o644, PASSWD.into());
    root.file("etc/group", 0o644, GROUP.into());
    let busybox = fs::read(BUSYBOX).with_context(|| format!("{BUSYBOX} (package busybox-static)"))?;
    root.file("bin/busybox", 0o755, busybox);
    let applets = command::output(Command::new(BUSYBOX).arg("--list-full"))?;
    for applet in applets.lines().filter(|applet| *applet != "bin/busybox" && applet.contains('/')) {
        root.link(applet, "/bin/busybox");
    }
    Ok(root)
}
