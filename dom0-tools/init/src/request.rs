//! The harness' request to init: a JSON file in the overlay archive.

use serde::{Deserialize, Serialize};

/// Where the request is in dom0's file system.
pub const PATH: &str = "/run.json";

/// What to do once dom0 is up. An absent file means the defaults: an interactive shell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// Commands for `/bin/sh -c`; without them a shell runs on the console.
    pub commands: Option<String>,
    /// Value of `TERM` for the interactive shell.
    pub term: Option<String>,
    /// Rows and columns of the user's terminal.
    pub size: Option<(u16, u16)>,
}

impl Request {
    /// Reads a request; the error says what is wrong and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| format!("{PATH}: {error}"))
    }

    /// The file's text.
    pub fn to_text(&self) -> Result<String, String> {
        serde_json::to_string(self).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let request = Request { commands: Some("echo \"a'b\"\n\u{e9}".into()), term: None, size: Some((24, 80)) };
        assert_eq!(Request::parse(&request.to_text().unwrap()).unwrap(), request);
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        assert!(Request::parse("{\"comands\": \"x\"}").is_err());
        assert_eq!(Request::parse("{}").unwrap(), Request::default());
    }
}
