//! Bochs' first serial port on the user's terminal, over a socket of ours.

use super::escape::{Escape, Typed};
use anyhow::Result;
use std::{
    io::{Read, Write, stdin, stdout},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// The listening end; Bochs connects when it starts.
pub struct Proxy {
    listener: TcpListener,
    quit: Arc<AtomicBool>,
}

impl Proxy {
    /// Listens on a free port of this host only.
    pub fn listen() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        Ok(Self { listener, quit: Arc::default() })
    }

    /// The port.
    pub fn port(&self) -> Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// Connects terminal and machine in the background; the flag rises when the user wants to leave.
    pub fn start(self) -> Arc<AtomicBool> {
        let quit = self.quit.clone();
        thread::spawn(move || {
            if let Ok((machine, _)) = self.listener.accept()
                && let Ok(reader) = machine.try_clone()
            {
                thread::spawn(move || show(reader));
                type_in(machine, &self.quit);
            }
        });
        quit
    }
}

/// Until the machine hangs up.
fn show(mut machine: TcpStream) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = machine.read(&mut buffer) {
        let done = stdout().write_all(buffer.get(..count).unwrap_or_default()).and_then(|()| stdout().flush());
        if done.is_err() {
            return;
        }
    }
}

/// Until the user leaves or the input ends.
fn type_in(mut machine: TcpStream, quit: &AtomicBool) {
    let mut escape = Escape::default();
    let mut buffer = [0; 256];
    while let Ok(count @ 1..) = stdin().read(&mut buffer) {
        match escape.take(buffer.get(..count).unwrap_or_default()) {
            Typed::Quit => return quit.store(true, Ordering::Relaxed),
            Typed::Send(bytes) => {
                if machine.write_all(&bytes).is_err() {
                    return;
                }
            }
        }
    }
}
