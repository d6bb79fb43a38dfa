//! Results on standard output, failures on standard error.

use protocol::{Exit, Failure, Mistake, SCHEMA};
use serde::Serialize;
use std::io::{Write, stderr, stdout};

/// Where results go, and in which form.
pub struct Output {
    json: bool,
}

/// Every top-level object of `--json`.
#[derive(Serialize)]
struct Versioned<'a, T> {
    schema: u32,
    #[serde(flatten)]
    body: &'a T,
}

#[derive(Serialize)]
struct Failed<'a> {
    error: &'a Failure,
}

impl Output {
    /// Human readable, or JSON.
    pub const fn new(json: bool) -> Self {
        Self { json }
    }

    /// True with `--json`.
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// A result: an object with `--json`, else the text that `human` gives (without last newline).
    pub fn put<T: Serialize>(&mut self, body: &T, human: impl FnOnce() -> String) {
        if self.json {
            self.object(body);
        } else {
            let text = human();
            if !text.is_empty() {
                self.raw(format!("{text}\n").as_bytes());
            }
        }
    }

    /// Bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        let mut out = stdout().lock();
        // Nobody reads on: nothing is left to do, and that is no failure of ours.
        if out.write_all(bytes).and_then(|()| out.flush()).is_err() {
            std::process::exit(Exit::Ok.status().into());
        }
    }

    /// Lines for people about mistakes: which, and what to do.
    pub fn mistakes(&mut self, mistakes: &[Mistake]) {
        for mistake in mistakes {
            complain(&mistake.to_string(), Some(&mistake.hint));
        }
    }

    /// A failure: one line what, one line what to do; an object too with `--json`.
    pub fn fail(&mut self, failure: &Failure) -> Exit {
        if self.json {
            self.object(&Failed { error: failure });
        }
        self.mistakes(&failure.mistakes);
        complain(&format!("cube: {}", failure.message), failure.hint.as_deref());
        failure.code.exit()
    }

    fn object<T: Serialize>(&mut self, body: &T) {
        match serde_json::to_string(&Versioned { schema: SCHEMA, body }) {
            Ok(line) => self.raw(format!("{line}\n").as_bytes()),
            Err(error) => complain(&format!("cube: the result cannot be written as JSON: {error}"), None),
        }
    }
}

fn complain(what: &str, hint: Option<&str>) {
    let hint = hint.map(|hint| format!("    {hint}\n")).unwrap_or_default();
    // If standard error is closed there is nobody to tell.
    let _ = stderr().write_all(format!("{what}\n{hint}").as_bytes());
}
