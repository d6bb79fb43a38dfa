//! From the table to typed values that remember where they stood.

use super::disks::{self, DraftDisk};
use super::name;
use super::report::{Found, Report};
use super::table::{Table, wrong_type};
use crate::domain::{Disk, Domain, MAX_MEMORY, MAX_VCPUS, MIN_MEMORY};
use protocol::{Policy, Reconcile};
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::DeTable;

/// A domain file's values; `None` where one is missing or was reported.
pub(super) struct Draft {
    pub name: Option<Found<String>>,
    pub vcpus: u32,
    pub memory: Option<Found<u64>>,
    pub limit: Option<Found<u64>>,
    pub kernel: Option<Found<PathBuf>>,
    pub initrd: Option<Found<PathBuf>>,
    pub cmdline: Option<Found<String>>,
    pub disks: Vec<DraftDisk>,
    pub console: bool,
    pub entropy: bool,
    pub balloon: bool,
    pub on_reboot: Policy,
    pub on_crash: Policy,
    pub reconcile: Reconcile,
}

const POLICIES: &[(&str, Policy)] =
    &[("destroy", Policy::Destroy), ("restart", Policy::Restart), ("keep", Policy::Keep)];

impl Draft {
    /// Reads a table, reports what is wrong with single values and unknown keys. Relative paths
    /// become relative to `folder`.
    pub fn read(report: &mut Report, root: &Spanned<DeTable>, folder: &Path) -> Self {
        let mut table = Table::new(root.get_ref(), root.span(), String::new());
        let path = |found: Found<String>| {
            let path = folder.join(&found.value);
            found.with(path)
        };
        let draft = Self {
            name: table.text(report, "name", "guest"),
            vcpus: table.number(report, "vcpus", 1..=MAX_VCPUS).map_or(1, |found| found.value),
            memory: table.size(report, "memory"),
            limit: table.size(report, "limit"),
            kernel: table.text(report, "kernel", "/boot/vmlinuz").map(path),
            initrd: table.text(report, "initrd", "/boot/initrd.img").map(path),
            cmdline: table.text(report, "cmdline", "console=ttyS0"),
            disks: disks::read(report, &mut table, folder),
            console: table.switch(report, "console", true),
            entropy: table.switch(report, "entropy", true),
            balloon: table.switch(report, "balloon", true),
            on_reboot: table.choice(report, "on_reboot", POLICIES),
            on_crash: table.choice(report, "on_crash", POLICIES),
            reconcile: reconcile(report, &mut table),
        };
        table.require(report, "name", "\"guest\"");
        table.require(report, "memory", "\"256M\"");
        table.require(report, "kernel", "\"/boot/vmlinuz\"");
        table.finish(report);
        draft
    }

    /// Reports what is wrong with values and between them, without looking at files.
    pub fn compare(&self, report: &mut Report) {
        if let Some(found) = &self.name
            && let Some(message) = name::domain_mistake(&found.value)
        {
            report.at(found, message, "use letters, digits, dots, dashes and underscores, a letter first");
        }
        for found in [&self.memory, &self.limit].into_iter().flatten() {
            if found.value % abi::PAGE_SIZE != 0 {
                report.at(found, "is not a whole number of 4 KiB pages", "choose a multiple of 4K");
            } else if !(MIN_MEMORY..=MAX_MEMORY).contains(&found.value) {
                let hint = format!("choose a size from {}M to {}G", MIN_MEMORY >> 20, MAX_MEMORY >> 30);
                report.at(found, "is out of range", hint);
            }
        }
        if let (Some(memory), Some(limit)) = (&self.memory, &self.limit)
            && limit.value > memory.value
        {
            report.at(
                limit,
                "is more than `memory`",
                "lower it, raise `memory`, or leave `limit` out to have no limit",
            );
        }
        if let Some(found) = &self.cmdline
            && let Some(odd) = found.value.chars().find(|c| c.is_control())
        {
            report.at(found, format!("has the control character {odd:?}"), "write the command line on one line");
        }
        disks::compare(report, &self.disks, Domain::disk_slots(self.console, self.entropy, self.balloon));
    }

    /// The domain; `None` if a value that it needs is missing (and was reported).
    pub fn domain(self) -> Option<Domain> {
        let disk = |(n, draft): (usize, DraftDisk)| {
            Some(Disk {
                path: draft.path?.value,
                readonly: draft.readonly,
                serial: draft.serial.map_or_else(|| format!("disk{n}"), |found| found.value),
            })
        };
        let memory = self.memory?.value;
        Some(Domain {
            name: self.name?.value,
            vcpus: self.vcpus,
            memory,
            limit: self.limit.map_or(memory, |found| found.value),
            kernel: self.kernel?.value,
            initrd: self.initrd.map(|found| found.value),
            cmdline: self.cmdline.map(|found| found.value).unwrap_or_default(),
            disks: self.disks.into_iter().enumerate().map(disk).collect::<Option<_>>()?,
            console: self.console,
            entropy: self.entropy,
            balloon: self.balloon,
            on_reboot: self.on_reboot,
            on_crash: self.on_crash,
            reconcile: self.reconcile,
        })
    }
}

fn reconcile(report: &mut Report, root: &mut Table) -> Reconcile {
    let Some(found) = root.any("reconcile") else { return Reconcile::default() };
    let Some(table) = found.value.as_table() else {
        wrong_type(report, &found, "a table", "write [reconcile] on a line, then r1 = false below it");
        return Reconcile::default();
    };
    let mut table = Table::new(table, found.span, "reconcile.".to_owned());
    let mut switch = |key| table.switch(report, key, true);
    let switches = Reconcile { r1: switch("r1"), r2: switch("r2"), r3: switch("r3") };
    table.finish(report);
    switches
}
