//! The daemon's log: one line an event, fields as `name=value`, to standard error and to a file
//! of bounded size.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

/// Size at which the file moves to `log.old`.
const ROTATE: u64 = 1 << 20;

/// A file that is moved away when it is large.
#[derive(Debug)]
struct Rotating {
    path: PathBuf,
    file: File,
    len: u64,
}

impl Rotating {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().append(true).create(true).open(path)?;
        let len = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, len })
    }
}

impl Write for Rotating {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.len >= ROTATE {
            std::fs::rename(&self.path, self.path.with_extension("old"))?;
            *self = Self::open(&self.path.clone())?;
        }
        let written = self.file.write(bytes)?;
        self.len += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Starts logging; `quiet`: only errors go to standard error. Without the file standard error
/// alone is used, and that is said there.
pub fn start(level: tracing::Level, path: &Path, quiet: bool) {
    let filter = LevelFilter::from_level(level);
    let stderr = fmt::layer().with_writer(io::stderr).with_target(false).with_ansi(false);
    let stderr = stderr.with_filter(if quiet { LevelFilter::ERROR } else { LevelFilter::TRACE });
    let file = Rotating::open(path);
    let failed = file.as_ref().err().map(ToString::to_string);
    let file = file.ok().map(|file| fmt::layer().with_writer(Mutex::new(file)).with_target(false).with_ansi(false));
    tracing_subscriber::registry().with(filter).with(stderr).with(file).init();
    if let Some(error) = failed {
        tracing::warn!(path = %path.display(), error, "no log file");
    }
}
