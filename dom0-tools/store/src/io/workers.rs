//! A few threads for what the ring cannot do, and for everything where there is no ring.

use super::group::Group;
use super::{Completion, Fault, IoOp, Mailbox, Request, transfer};
use rustix::io::{preadv, pwritev};
use std::io::{IoSlice, IoSliceMut};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Number of threads: enough that a slow sync does not hold up reads.
const THREADS: usize = 4;

pub(super) type Work = (Group, Option<Fault>);

/// The pool. Dropping it waits for what is under way.
#[derive(Debug)]
pub(super) struct Workers {
    send: Option<Sender<Work>>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    pub(super) fn start(mailbox: &Arc<Mailbox>) -> std::io::Result<Self> {
        let (send, receive) = channel::<Work>();
        let receive = Arc::new(Mutex::new(receive));
        let mut threads = Vec::with_capacity(THREADS);
        for i in 0..THREADS {
            let (receive, mailbox) = (receive.clone(), mailbox.clone());
            let thread = std::thread::Builder::new().name(format!("store-io-{i}"));
            threads.push(thread.spawn(move || work(&receive, &mailbox))?);
        }
        Ok(Self { send: Some(send), threads })
    }

    pub(super) fn give(&self, group: Group, fault: Option<Fault>) {
        if let Some(send) = &self.send {
            // The receivers live as long as the threads, and those as long as the sender.
            let _ = send.send((group, fault));
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.send = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn work(receive: &Mutex<Receiver<Work>>, mailbox: &Mailbox) {
    loop {
        let next = receive.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok((group, fault)) => mailbox.post(run(group, fault)),
            Err(_) => return,
        }
    }
}

/// The whole group at once; if that does not go to the last byte, each part on its own, so that an
/// error hits only those that it belongs to.
fn run(mut group: Group, fault: Option<Fault>) -> Vec<Completion> {
    if group.parts.len() > 1 && at_once(&mut group) {
        return group.parts.into_iter().map(|r| r.done(Ok(()))).collect();
    }
    group.parts.into_iter().map(|r| transfer::run(r, fault)).collect()
}

fn at_once(group: &mut Group) -> bool {
    let Some((volume, offset)) = group.parts.first().map(|r| (r.volume.clone(), r.offset)) else {
        return false;
    };
    let mut reads = Vec::new();
    let mut writes = Vec::new();
    for Request { op, .. } in &mut group.parts {
        match op {
            IoOp::Read(b) => reads.push(IoSliceMut::new(b.bytes_mut())),
            IoOp::Write(b) => writes.push(IoSlice::new(b.bytes())),
            IoOp::Zero { .. } | IoOp::Sync => return false,
        }
    }
    let moved =
        if writes.is_empty() { preadv(volume.fd(), &mut reads, offset) } else { pwritev(volume.fd(), &writes, offset) };
    moved.is_ok_and(|n| n as u64 == group.bytes)
}
