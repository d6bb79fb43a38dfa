//! A store in a temporary directory, driven to the end of each batch.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use store::{Backend, Buffer, Completion, IoOp, Options, Recovered, Store};
use tesseract::{Medium, Record};

pub const BACKENDS: [Backend; 2] = [Backend::Uring, Backend::Threads];
pub const BOOT: [u8; 16] = [1; 16];

pub struct Place {
    pub dir: tempfile::TempDir,
    pub path: PathBuf,
}

pub fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    Store::format(&path, Some(16 << 20)).unwrap();
    Place { path, dir }
}

pub fn options(backend: Backend) -> Options {
    Options { backend, boot: Some(BOOT), patience: std::time::Duration::ZERO, ..Options::default() }
}

pub fn open(path: &Path, backend: Backend) -> (Store, Recovered) {
    Store::open(path, &options(backend)).unwrap()
}

/// Waits for `count` completions.
pub fn wait(store: &mut Store, count: usize) -> Vec<Completion> {
    let mut done = Vec::new();
    store.submit();
    while done.len() < count {
        poll(store);
        store.completions(&mut done);
    }
    assert_eq!(done.len(), count);
    done.sort_by_key(|c| c.token);
    done
}

fn poll(store: &Store) {
    use rustix::event::{PollFd, PollFlags, Timespec};
    let mut fds = [PollFd::from_borrowed_fd(store.event(), PollFlags::IN)];
    let limit = Timespec { tv_sec: 20, tv_nsec: 0 };
    assert!(rustix::event::poll(&mut fds, Some(&limit)).unwrap() > 0, "nothing ended in 20 s");
}

pub fn filled(len: usize, byte: u8) -> Buffer {
    let mut buffer = Buffer::allocate(len).unwrap();
    buffer.bytes_mut().fill(byte);
    buffer
}

pub fn write(store: &mut Store, medium: Medium, offset: u64, len: usize, byte: u8) {
    store.queue(0, medium, offset, IoOp::Write(filled(len, byte)));
    wait(store, 1).remove(0).result.unwrap();
}

pub fn read(store: &mut Store, medium: Medium, offset: u64, len: usize) -> Vec<u8> {
    store.queue(0, medium, offset, IoOp::Read(Buffer::allocate(len).unwrap()));
    let done = wait(store, 1).remove(0);
    done.result.unwrap();
    done.buffer.unwrap().bytes().to_vec()
}

pub fn append(store: &mut Store, records: Vec<Record>) {
    store.journal(0, records);
    wait(store, 1).remove(0).result.unwrap();
}

pub fn image(place: &Place, name: &str, len: u64) -> PathBuf {
    let path = place.dir.path().join(name);
    std::fs::File::create(&path).unwrap().set_len(len).unwrap();
    path
}
