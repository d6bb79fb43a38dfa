//! Words of the kernel's command line that are meant for init.

use std::fs;

/// How many disks of the harness to wait for.
pub const DISKS: &str = "hypercube.disks=";
/// The file or device that `cubed` uses as its swap store, like `/dev/disk0`.
pub const STORE: &str = "hypercube.store=";

/// What follows `name` in the last word that starts with it.
pub fn value(name: &str) -> Option<String> {
    last(&fs::read_to_string("/proc/cmdline").ok()?, name)
}

fn last(line: &str, name: &str) -> Option<String> {
    line.split_whitespace().rev().find_map(|word| word.strip_prefix(name)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_counts() {
        let line = "quiet hypercube.disks=1 x.hypercube.disks=7 hypercube.disks=2 ro\n";
        assert_eq!(last(line, DISKS).as_deref(), Some("2"));
        assert_eq!(last(line, STORE), None);
    }
}
