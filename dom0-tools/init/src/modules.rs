//! Loads the kernel modules that the image lists, in the listed order (dependencies first).

use rustix::system::finit_module;
use std::fs::{File, read_to_string};

/// Written when the image is made: one module path a line.
const LIST: &str = "/lib/modules/load.list";

/// Loads them; a missing driver is said, and costs only its device.
pub fn load_all() {
    let Ok(list) = read_to_string(LIST) else {
        return crate::say(&format!("{LIST} is missing: no drivers are loaded"));
    };
    for path in list.lines().filter(|line| !line.is_empty()) {
        if let Err(error) = load(path) {
            crate::say(&format!("{path}: {error}"));
        }
    }
}

fn load(path: &str) -> std::io::Result<()> {
    let file = File::open(path)?;
    match finit_module(file, c"", 0) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
