//! Lines of a text that need not be proper TOML: which key one is about, and where keys can be added.

use std::collections::HashMap;

/// The dotted key that the line of this byte is about, as far as that can be told: by the last header
/// of a table before it, and by what is before its `=`. A line with nothing on it goes on with the one before.
pub(super) fn key_at(text: &str, at: usize) -> String {
    let end = text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| at + length);
    let (mut tables, mut prefix, mut key) = (HashMap::<&str, usize>::new(), String::new(), String::new());
    for line in text.get(..end).unwrap_or(text).lines().map(str::trim_start) {
        if line.starts_with('[') {
            let name = word(line);
            key = name.to_owned();
            if line.starts_with("[[") {
                let count = tables.entry(name).or_default();
                key = format!("{name}[{count}]");
                *count += 1;
            }
            prefix = format!("{key}.");
        } else if !line.is_empty() && !line.starts_with('#') {
            key = format!("{prefix}{}", word(line.split('=').next().unwrap_or_default()));
        }
    }
    key.trim_end_matches('.').to_owned()
}

/// The first byte of the last line with something on it before the first table.
pub(super) fn last_of_top_level(text: &str) -> usize {
    let (mut at, mut last) = (0, 0);
    for line in text.split_inclusive('\n').take_while(|line| !line.trim_start().starts_with('[')) {
        if !line.trim().is_empty() {
            last = at;
        }
        at += line.len();
    }
    last
}

/// The first run of what keys are made of.
fn word(text: &str) -> &str {
    let odd = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    text.trim_start_matches(odd).split(odd).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{key_at, last_of_top_level};

    #[test]
    fn keys_have_their_tables() {
        let lines = [
            ("name = 'a", "name"),
            ("\"vcpus\" 3", "vcpus"),
            ("[reconcile]", "reconcile"),
            ("# r2 = 1", "reconcile"),
            ("r1 yes", "reconcile.r1"),
            ("[[disks]]", "disks[0]"),
            (" [[disks]", "disks[1]"),
            ("  path = = 'ä'", "disks[1].path"),
            ("{serial = 1", "disks[1].serial"),
            ("", "disks[1].serial"),
            ("=", "disks[1]"),
        ];
        let text = lines.map(|(line, _)| format!("{line}\n")).concat();
        let ends = text.match_indices('\n').map(|(at, _)| at);
        for ((line, key), end) in lines.into_iter().zip(ends) {
            assert_eq!(key_at(&text, end), key, "{line}");
        }
        assert_eq!(key_at("memory = 1\n\n", 12), "memory");
        assert_eq!((key_at("", 0), key_at("=", 9)), (String::new(), String::new()));
    }

    #[test]
    fn keys_are_added_before_the_first_table() {
        assert_eq!(last_of_top_level("a = 1\nb = 2\n\n[[disks]]\nc = 3\n"), 6);
        assert_eq!(last_of_top_level("[[disks]]\n"), 0);
        assert_eq!(last_of_top_level(""), 0);
    }
}
