//! Patterns that an output must have, and must not.

use anyhow::{Context, Result};
use regex::RegexBuilder;
use serde::Deserialize;

/// Regular expressions; `^` and `$` are the ends of lines.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Expect {
    /// Each must match.
    #[serde(default)]
    pub expect: Vec<String>,
    /// None may match.
    #[serde(default)]
    pub forbid: Vec<String>,
}

impl Expect {
    /// What is wrong with `text`, a sentence each.
    pub fn check(&self, name: &str, text: &str) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        for pattern in &self.expect {
            if !matches(pattern, text)? {
                wrong.push(format!("{name} has nothing like /{pattern}/"));
            }
        }
        for pattern in &self.forbid {
            if let Some(found) = compile(pattern)?.find(text) {
                wrong.push(format!("{name} has /{pattern}/: {}", found.as_str().trim()));
            }
        }
        Ok(wrong)
    }
}

/// Whether `text` has something like `pattern`.
pub fn matches(pattern: &str, text: &str) -> Result<bool> {
    Ok(compile(pattern)?.is_match(text))
}

fn compile(pattern: &str) -> Result<regex::Regex> {
    RegexBuilder::new(pattern).multi_line(true).crlf(true).build().with_context(|| format!("the pattern /{pattern}/"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lines_and_sentences() {
        let expect = Expect { expect: vec!["^two$".into(), "four".into()], forbid: vec!["thr.e".into()] };
        let wrong = expect.check("stdout", "one\r\ntwo\r\nthree\n").unwrap();
        assert_eq!(wrong, ["stdout has nothing like /four/", "stdout has /thr.e/: three"]);
        assert!(expect.check("stdout", "two\nfour").unwrap().is_empty());
        assert!(matches("(", "").is_err());
    }
}
