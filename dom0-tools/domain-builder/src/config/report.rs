//! Collects mistakes, and knows where in the text they are.

use protocol::Mistake;
use std::ops::Range;
use std::path::Path;

/// A value and where it stood.
#[derive(Clone, Debug)]
pub(super) struct Found<T> {
    /// Dotted key.
    pub key: String,
    /// Bytes of the text.
    pub span: Range<usize>,
    /// The value.
    pub value: T,
}

impl<T> Found<T> {
    /// Another value at the same place.
    pub fn with<U>(self, value: U) -> Found<U> {
        Found { key: self.key, span: self.span, value }
    }
}

/// The mistakes of one file.
pub(super) struct Report<'t> {
    text: &'t str,
    file: &'t Path,
    mistakes: Vec<Mistake>,
    /// The text is not proper TOML: keys may have been lost with what could not be read, so that
    /// none is to be called missing.
    pub broken: bool,
}

impl<'t> Report<'t> {
    pub fn new(text: &'t str, file: &'t Path) -> Self {
        Self { text, file, mistakes: Vec::new(), broken: false }
    }

    /// A mistake at a place in the text; without one it is of the file as a whole.
    pub fn add(
        &mut self,
        span: Option<Range<usize>>,
        key: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let (line, column) = span.map_or((0, 0), |span| position(self.text, span.start));
        let file = self.file.to_owned();
        self.mistakes.push(Mistake { file, line, column, key: key.into(), message: message.into(), hint: hint.into() });
    }

    /// A mistake of a value.
    pub fn at<T>(&mut self, found: &Found<T>, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Some(found.span.clone()), found.key.clone(), message, hint);
    }

    /// All mistakes in the order of the text, those of the file as a whole last. On a line that is
    /// no proper TOML, other mistakes are consequences and left out.
    pub fn finish(mut self) -> Vec<Mistake> {
        let broken: Vec<u32> =
            self.mistakes.iter().filter(|m| self.broken && m.key.is_empty()).map(|m| m.line).collect();
        self.mistakes.retain(|m| m.key.is_empty() || !broken.contains(&m.line));
        self.mistakes.sort_by_key(|m| (m.line == 0, m.line, m.column));
        self.mistakes
    }
}

/// Line and column (in characters), from 1, of a byte of the text.
fn position(text: &str, at: usize) -> (u32, u32) {
    let before = text.get(..at).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).saturating_add(1);
    (count(before.matches('\n').count()), count(before.get(start..).unwrap_or_default().chars().count()))
}

#[cfg(test)]
mod tests {
    use super::position;

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        let text = "a = 1\nä = é\n";
        assert_eq!(position(text, 0), (1, 1));
        assert_eq!(position(text, 6), (2, 1));
        assert_eq!(position(text, text.find('é').unwrap_or(0)), (2, 5));
        assert_eq!(position(text, 1000), (3, 1));
    }
}
