//! QEMU's monitor: what the CPUs were doing when a machine ran out of time, kept beside its logs.

use super::Config;
use anyhow::Result;
use std::{
    fs::File,
    io::{Read, Write},
    os::unix::net::UnixStream,
    thread::sleep,
    time::Duration,
};

/// The monitor's socket, in the run's folder.
const SOCKET: &str = "monitor";
/// The answers, in the run's folder.
const STATE: &str = "machine-state";
/// What ends an answer.
const PROMPT: &[u8] = b"(qemu) ";
/// An answer that takes longer is kept as far as it came.
const PATIENCE: Duration = Duration::from_secs(2);
/// Asked twice, so far apart: what stands still and what moves.
const APART: Duration = Duration::from_secs(1);

/// QEMU's argument; its working directory is the run's folder.
pub fn argument() -> String {
    format!("unix:{SOCKET},server=on,wait=off")
}

/// Asks for registers and local APICs and keeps the answers.
pub fn record(config: &Config) -> Result<()> {
    let mut monitor = UnixStream::connect(config.folder.join(SOCKET))?;
    monitor.set_read_timeout(Some(PATIENCE))?;
    let mut file = File::create(config.folder.join(STATE))?;
    answer(&mut monitor);
    for round in 0..2 {
        if round > 0 {
            sleep(APART);
        }
        let apics = (0..config.cpus()).map(|cpu| format!("info lapic {cpu}"));
        for question in ["info registers -a".to_owned()].into_iter().chain(apics) {
            writeln!(monitor, "{question}")?;
            file.write_all(&answer(&mut monitor))?;
        }
    }
    Ok(())
}

fn answer(monitor: &mut UnixStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    while !bytes.ends_with(PROMPT) {
        match monitor.read(&mut piece) {
            Ok(count @ 1..) => bytes.extend_from_slice(piece.get(..count).unwrap_or_default()),
            _ => break,
        }
    }
    bytes
}
