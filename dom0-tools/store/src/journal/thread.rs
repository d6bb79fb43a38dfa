//! The journal's thread: appends wait for the disk, the daemon does not.
//!
//! Whatever has gathered while the last write was under way goes out as one write.

use super::Writer;
use crate::format::DiskEntry;
use crate::io::{Completion, Mailbox};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use tesseract::Record;

enum Command {
    Append(u64, Vec<Record>),
    Disk(Box<DiskEntry>, Sender<io::Result<()>>),
    Distrust,
}

/// Handle of the thread. Dropping it lets the thread finish what it was given.
#[derive(Debug)]
pub(crate) struct Journal {
    send: Option<Sender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl Journal {
    pub(crate) fn start(writer: Writer, mailbox: Arc<Mailbox>) -> io::Result<Self> {
        let (send, receive) = channel();
        let thread = std::thread::Builder::new().name("store-journal".into());
        let thread = thread.spawn(move || run(writer, &receive, &mailbox))?;
        Ok(Self { send: Some(send), thread: Some(thread) })
    }

    /// Appends records, in the order of calls; the mailbox gets the token when the kernel has them.
    pub(crate) fn append(&self, token: u64, records: Vec<Record>) {
        if let Some(send) = &self.send {
            // The receiver lives until the sender is dropped.
            let _ = send.send(Command::Append(token, records));
        }
    }

    /// What was appended so far may not be on the disk, although the kernel took it.
    pub(crate) fn distrust(&self) {
        if let Some(send) = &self.send {
            let _ = send.send(Command::Distrust);
        }
    }

    /// Writes the last word about a disk, durably; waits for it.
    pub(crate) fn put_disk(&self, disk: DiskEntry) -> io::Result<()> {
        let (reply, answer) = channel();
        if let Some(send) = &self.send {
            let _ = send.send(Command::Disk(Box::new(disk), reply));
        }
        answer.recv().unwrap_or_else(|_| Err(io::Error::other("the journal's thread has ended")))
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.send = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(mut writer: Writer, receive: &Receiver<Command>, mailbox: &Mailbox) {
    let mut tokens = Vec::new();
    let mut records = Vec::new();
    while let Ok(first) = receive.recv() {
        let mut next = Some(first);
        while let Some(command) = next.take().or_else(|| receive.try_recv().ok()) {
            match command {
                Command::Append(token, more) => {
                    tokens.push(token);
                    records.extend(more);
                }
                Command::Disk(disk, reply) => {
                    flush(&mut writer, &mut tokens, &mut records, mailbox);
                    // Nobody waits any more: nobody to tell.
                    let _ = reply.send(writer.put_disk(&disk));
                }
                Command::Distrust => {
                    flush(&mut writer, &mut tokens, &mut records, mailbox);
                    writer.distrust();
                    // At once: a loss of power meanwhile would find what may not be on the disk.
                    let _ = writer.append(&[]);
                }
            }
        }
        flush(&mut writer, &mut tokens, &mut records, mailbox);
    }
}

fn flush(writer: &mut Writer, tokens: &mut Vec<u64>, records: &mut Vec<Record>, mailbox: &Mailbox) {
    if tokens.is_empty() {
        return;
    }
    let result = writer.append(records);
    records.clear();
    mailbox.post(tokens.drain(..).map(|token| Completion {
        token,
        result: result.as_ref().copied().map_err(copy),
        buffer: None,
    }));
}

fn copy(error: &io::Error) -> io::Error {
    error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
}
