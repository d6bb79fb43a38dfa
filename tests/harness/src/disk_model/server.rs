//! The server: one socket, one disk, one client at a time.

use super::{
    Counts, Model,
    negotiation::negotiate,
    transmission::{Disk, serve},
};
use anyhow::{Context, Result};
use std::{
    fs::File,
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// A running server; it serves until the harness ends.
pub struct Server {
    socket: PathBuf,
    counts: Arc<Mutex<Counts>>,
}

impl Server {
    /// Serves `file` on `socket`.
    pub fn start(file: &Path, socket: &Path, model: Model) -> Result<Self> {
        let size = std::fs::metadata(file).with_context(|| file.display().to_string())?.len();
        // A left-over of an earlier run.
        let _ = std::fs::remove_file(socket);
        let listener = UnixListener::bind(socket).with_context(|| socket.display().to_string())?;
        let counts = Arc::new(Mutex::new(Counts::default()));
        let (path, shared) = (file.to_owned(), counts.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Err(error) = attend(client, &path, size, model, &shared) {
                    eprintln!("modelled disk: {error:#}");
                }
            }
        });
        Ok(Self { socket: socket.to_owned(), counts })
    }

    /// What `--disk` takes.
    pub fn disk(&self) -> String {
        format!("nbd:unix:{}", self.socket.display())
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn attend(mut client: UnixStream, path: &Path, size: u64, model: Model, counts: &Mutex<Counts>) -> Result<()> {
    if !negotiate(&mut client, size)? {
        return Ok(());
    }
    let file = File::options().read(true).write(true).open(path)?;
    serve(&mut client, &mut Disk { file, size, model, counts, head: 0 })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::{
        io::{Read, Write},
        time::{Duration, Instant},
    };

    fn send(client: &mut UnixStream, command: u16, offset: u64, length: u32) {
        client.write_all(&0x2560_9513u32.to_be_bytes()).unwrap();
        client.write_all(&[0, 0]).unwrap();
        client.write_all(&command.to_be_bytes()).unwrap();
        client.write_all(&[7; 8]).unwrap();
        client.write_all(&offset.to_be_bytes()).unwrap();
        client.write_all(&length.to_be_bytes()).unwrap();
    }

    fn reply(client: &mut UnixStream) -> u32 {
        let mut bytes = [0; 16];
        client.read_exact(&mut bytes).unwrap();
        u32::from_be_bytes(bytes[4..8].try_into().unwrap())
    }

    #[test]
    fn a_client_writes_reads_and_waits() {
        let folder = std::env::temp_dir().join(format!("hypercube-nbd-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("disk");
        File::create(&file).unwrap().set_len(1 << 20).unwrap();
        let model = Model { fixed_us: 1000, seek_us: 20_000, megabytes_per_second: 1000 };
        let server = Server::start(&file, &folder.join("socket"), model).unwrap();
        let mut client = UnixStream::connect(folder.join("socket")).unwrap();
        let mut greeting = [0; 18];
        client.read_exact(&mut greeting).unwrap();
        client.write_all(&3u32.to_be_bytes()).unwrap();
        client.write_all(b"IHAVEOPT\0\0\0\x01\0\0\0\0").unwrap();
        let mut export = [0; 10];
        client.read_exact(&mut export).unwrap();
        assert_eq!(u64::from_be_bytes(export[..8].try_into().unwrap()), 1 << 20);

        let start = Instant::now();
        send(&mut client, 1, 4096, 4);
        client.write_all(b"tide").unwrap();
        assert_eq!(reply(&mut client), 0);
        send(&mut client, 0, 4096, 4);
        assert_eq!(reply(&mut client), 0);
        let mut data = [0; 4];
        client.read_exact(&mut data).unwrap();
        assert_eq!(&data, b"tide");
        assert!(start.elapsed() >= Duration::from_millis(42));
        send(&mut client, 0, 1 << 20, 1);
        assert_eq!(reply(&mut client), 22);
        let counts = server.counts();
        assert_eq!((counts.reads, counts.writes, counts.seeks), (1, 1, 2));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
