//! A daemon on a socket of its own that answers from a script, and `cube` run against it.
#![allow(dead_code)]

use protocol::wire::{receive, send};
use protocol::{Call, Payload, Request, Response};
use std::io::{BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// Answers one request; after it the connection may be used raw.
pub type Answer = fn(&Request, &mut UnixStream) -> Option<Response>;

/// A daemon that runs until the test ends.
pub struct Daemon {
    pub folder: TempDir,
    pub asked: Arc<Mutex<Vec<Request>>>,
}

impl Daemon {
    /// Listens, and answers every request with `answer`; `None` hangs up.
    pub fn new(answer: Answer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("socket")).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut writer = stream;
                while let Ok(Some(call)) = receive::<Call>(&mut reader) {
                    assert_eq!(call.version, protocol::VERSION);
                    log.lock().unwrap().push(call.request.clone());
                    let Some(response) = answer(&call.request, &mut writer) else { break };
                    if send(&mut writer, &response).is_err() {
                        break;
                    }
                }
            }
        });
        Self { folder, asked }
    }

    /// Answers everything with the same.
    pub fn done() -> Self {
        Self::new(|_, _| Some(Payload::Done.into()))
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// Runs `cube` with these arguments (and no input).
    pub fn cube(&self, args: &[&str]) -> Ran {
        self.cube_with(args, b"")
    }

    /// Runs `cube` with these arguments and this input.
    pub fn cube_with(&self, args: &[&str], input: &[u8]) -> Ran {
        cube(&[&["--socket", self.socket().to_str().unwrap()], args].concat(), input)
    }

    /// The last request.
    pub fn last(&self) -> Request {
        self.asked.lock().unwrap().last().unwrap().clone()
    }
}

/// What a run of `cube` gave.
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn json(&self) -> serde_json::Value {
        assert_eq!(self.out.lines().count(), 1, "{}", self.out);
        let value: serde_json::Value = serde_json::from_str(&self.out).unwrap();
        assert_eq!(value["schema"], protocol::SCHEMA);
        value
    }
}

/// Runs `cube`.
pub fn cube(args: &[&str], input: &[u8]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cube"))
        .args(args)
        .env_remove("CUBE_SOCKET")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A child that does not read may have ended already.
    let _ = child.stdin.take().unwrap().write_all(input);
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { status: status.code().unwrap(), out: text(stdout), err: text(stderr) }
}
