//! Typed reading of one table: every key that is asked for is a known key, the rest are mistakes.

use super::report::{Found, Report};
use super::size::parse_size;
use std::ops::{Range, RangeInclusive};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One table, while it is read.
pub(super) struct Table<'a, 'i> {
    table: &'a DeTable<'i>,
    span: Range<usize>,
    prefix: String,
    known: Vec<&'static str>,
}

impl<'a, 'i> Table<'a, 'i> {
    /// `prefix` is put before the keys in mistakes: empty, or with its dot.
    pub fn new(table: &'a DeTable<'i>, span: Range<usize>, prefix: String) -> Self {
        Self { table, span, prefix, known: Vec::new() }
    }

    /// The value of a key, whatever its type.
    pub fn any(&mut self, key: &'static str) -> Option<Found<&'a DeValue<'i>>> {
        self.known.push(key);
        self.table.get(key).map(|value: &Spanned<DeValue<'i>>| Found {
            key: format!("{}{key}", self.prefix),
            span: value.span(),
            value: value.get_ref(),
        })
    }

    /// A string.
    pub fn text(&mut self, report: &mut Report, key: &'static str, example: &str) -> Option<Found<String>> {
        let found = self.any(key)?;
        match found.value.as_str() {
            Some(text) => Some(found.clone().with(text.to_owned())),
            None => {
                wrong_type(report, &found, "a string", &format!("write {key} = \"{example}\""));
                None
            }
        }
    }

    /// `true` or `false`.
    pub fn switch(&mut self, report: &mut Report, key: &'static str, default: bool) -> bool {
        let Some(found) = self.any(key) else { return default };
        found.value.as_bool().unwrap_or_else(|| {
            wrong_type(report, &found, "true or false", &format!("write {key} = {default} (without quotes)"));
            default
        })
    }

    /// A whole number in a range.
    pub fn number(&mut self, report: &mut Report, key: &'static str, range: RangeInclusive<u32>) -> Option<Found<u32>> {
        let found = self.any(key)?;
        let Some(integer) = found.value.as_integer() else {
            wrong_type(report, &found, "a whole number", &format!("write {key} = {} (without quotes)", range.start()));
            return None;
        };
        match u32::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|n| range.contains(n)) {
            Some(number) => Some(found.with(number)),
            None => {
                let hint = format!("choose a number from {} to {}", range.start(), range.end());
                report.at(&found, format!("{} is out of range", integer.as_str()), hint);
                None
            }
        }
    }

    /// A size of memory, in bytes.
    pub fn size(&mut self, report: &mut Report, key: &'static str) -> Option<Found<u64>> {
        let found = self.text(report, key, "256M")?;
        match parse_size(&found.value) {
            Ok(bytes) => Some(found.with(bytes)),
            Err(message) => {
                report.at(&found, message, "write a whole number and K, M, G or T, as \"256M\" or \"4G\"");
                None
            }
        }
    }

    /// One of a few words.
    pub fn choice<T: Copy + Default>(&mut self, report: &mut Report, key: &'static str, words: &[(&str, T)]) -> T {
        let example = words.first().map_or("", |(word, _)| *word);
        let Some(found) = self.text(report, key, example) else { return T::default() };
        match words.iter().find(|(word, _)| *word == found.value) {
            Some((_, value)) => *value,
            None => {
                let all = words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
                report.at(&found, format!("`{}` is not a choice", found.value), format!("choose one of {all}"));
                T::default()
            }
        }
    }

    /// Reports a key that must be there and is not. To be called after the key was asked for.
    pub fn require(&self, report: &mut Report, key: &str, example: &str) {
        if !self.table.contains_key(key) && !report.broken() {
            let place = if self.prefix.is_empty() { report.top_level() } else { self.span.clone() };
            report.add(
                Some(place),
                format!("{}{key}", self.prefix),
                "is missing",
                format!("add a line such as {key} = {example}"),
            );
        }
    }

    /// Reports every key that nobody asked for.
    pub fn finish(self, report: &mut Report) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if self.known.contains(&name) {
                continue;
            }
            let hint = match similar(name, &self.known) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("remove it; the keys here are {}", self.known.join(", ")),
            };
            report.add(Some(key.span()), format!("{}{name}", self.prefix), "unknown key", hint);
        }
    }
}

/// Reports a value of the wrong type.
pub(super) fn wrong_type(report: &mut Report, found: &Found<&DeValue>, wanted: &str, hint: &str) {
    report.at(found, format!("is of type {}, not {wanted}", found.value.type_str()), hint);
}

fn similar(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let name = name.to_lowercase();
    let (distance, key) = known.iter().map(|known| (strsim::damerau_levenshtein(&name, known), *known)).min()?;
    (distance <= 1 + key.len() / 4).then_some(key)
}
