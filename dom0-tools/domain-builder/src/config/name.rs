//! Names of domains and serials of disks: one word for every shell, file name and log.

/// What is wrong with a name of at most `max` bytes; `None` if nothing.
pub(super) fn mistake(name: &str, max: usize) -> Option<String> {
    if name.is_empty() {
        return Some("is empty".to_owned());
    }
    if name.len() > max {
        return Some(format!("is {} bytes long; {max} fit", name.len()));
    }
    if let Some(odd) = name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))) {
        return Some(format!("has the character {odd:?}"));
    }
    None
}

/// As [`mistake`], and it must begin with a letter: a number would be an identifier, a dash an option.
pub(super) fn domain_mistake(name: &str) -> Option<String> {
    mistake(name, crate::domain::MAX_NAME).or_else(|| {
        name.chars()
            .next()
            .filter(|c| !c.is_ascii_alphabetic())
            .map(|first| format!("begins with {first:?}, not with a letter"))
    })
}
