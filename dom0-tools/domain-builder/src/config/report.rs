//! Collects mistakes, and knows where in the text they are.

use super::line;
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
    /// Where the text is not proper TOML.
    syntax: Vec<Mistake>,
}

impl<'t> Report<'t> {
    pub fn new(text: &'t str, file: &'t Path) -> Self {
        Self { text, file, mistakes: Vec::new(), syntax: Vec::new() }
    }

    /// A mistake at a place in the text; without one it is of the file as a whole.
    pub fn add(
        &mut self,
        span: Option<Range<usize>>,
        key: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let mistake = self.mistake(span.map(|span| span.start), key.into(), message.into(), hint.into());
        self.mistakes.push(mistake);
    }

    /// At this byte the text is not proper TOML.
    pub fn broken_at(&mut self, at: usize, message: impl Into<String>, hint: &str) {
        let key = line::key_at(self.text, at);
        let mistake = self.mistake(Some(at), key, message.into(), hint.to_owned());
        self.syntax.push(mistake);
    }

    /// True if the text is not proper TOML: keys may have been lost with what could not be read,
    /// so that none is to be called missing.
    pub fn broken(&self) -> bool {
        !self.syntax.is_empty()
    }

    /// Where a key that is in no table could be added.
    pub fn top_level(&self) -> Range<usize> {
        let at = line::last_of_top_level(self.text);
        at..at
    }

    fn mistake(&self, at: Option<usize>, key: String, message: String, hint: String) -> Mistake {
        let (line, column) = at.map_or((0, 0), |at| position(self.text, at));
        Mistake { file: self.file.to_owned(), line, column, key, message, hint }
    }

    /// A mistake of a value.
    pub fn at<T>(&mut self, found: &Found<T>, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Some(found.span.clone()), found.key.clone(), message, hint);
    }

    /// All mistakes in the order of the text, those of the file as a whole last. On a line that is
    /// no proper TOML, other mistakes are consequences and left out.
    pub fn finish(mut self) -> Vec<Mistake> {
        self.mistakes.retain(|m| !self.syntax.iter().any(|broken| broken.line == m.line));
        self.mistakes.append(&mut self.syntax);
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
