//! The `disks` of a domain file.

use super::name;
use super::report::{Found, Report};
use super::table::{Table, wrong_type};
use crate::domain::MAX_SERIAL;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A disk's values; `None` where one is missing or was reported.
pub(super) struct DraftDisk {
    pub path: Option<Found<PathBuf>>,
    pub readonly: bool,
    pub serial: Option<Found<String>>,
}

const SHAPE: &str = "write [[disks]] on a line, then path = \"disk.img\" below it, once a disk";

/// Reads the array.
pub(super) fn read(report: &mut Report, root: &mut Table, folder: &Path) -> Vec<DraftDisk> {
    let Some(found) = root.any("disks") else { return Vec::new() };
    let Some(array) = found.value.as_array() else {
        wrong_type(report, &found, "an array of tables", SHAPE);
        return Vec::new();
    };
    let mut disks = Vec::new();
    for (n, item) in array.iter().enumerate() {
        let found = Found { key: format!("disks[{n}]"), span: item.span(), value: item.get_ref() };
        let Some(table) = found.value.as_table() else {
            wrong_type(report, &found, "a table", SHAPE);
            continue;
        };
        let mut table = Table::new(table, found.span, format!("disks[{n}]."));
        let path = table.text(report, "path", "disk.img");
        let disk = DraftDisk {
            path: path.map(|found| {
                let path = folder.join(&found.value);
                found.with(path)
            }),
            readonly: table.switch(report, "readonly", false),
            serial: table.text(report, "serial", "root"),
        };
        table.require(report, "path", "\"disk.img\"");
        table.finish(report);
        disks.push(disk);
    }
    disks
}

/// Reports odd and repeated serials, repeated paths as they are written, and disks beyond the
/// `slots` that are free.
pub(super) fn compare(report: &mut Report, disks: &[DraftDisk], slots: usize) {
    let mut serials = HashMap::new();
    let mut paths = HashMap::new();
    for (n, disk) in disks.iter().enumerate() {
        let default = format!("disk{n}");
        if let Some(found) = &disk.serial
            && let Some(message) = name::mistake(&found.value, MAX_SERIAL)
        {
            report.at(found, message, "use 1 to 20 letters, digits, dots, dashes and underscores");
        }
        let serial = disk.serial.as_ref().map_or(default, |found| found.value.clone());
        if let Some(first) = serials.insert(serial, n)
            && let Some(found) = disk.serial.as_ref().or_else(|| disks.get(first)?.serial.as_ref())
        {
            report.at(
                found,
                format!("disks[{first}] and disks[{n}] have the same serial"),
                "give each disk a serial of its own",
            );
        }
        let Some(found) = &disk.path else { continue };
        if let Some(first) = paths.insert(same_file(&found.value), n) {
            let hint = "remove one: two disks on one file destroy each other's data";
            report.at(found, format!("is the same file as disks[{first}]"), hint);
        }
        if n == slots {
            let hint = format!("a domain has 16 slots: with its other devices, {slots} disks at most");
            report.at(found, "there is no slot for this disk", hint);
        }
    }
}

/// The file itself behind links and dots, where it can be found.
fn same_file(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
