//! The socket that clients connect to.

use mio::net::{UnixListener, UnixStream};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The listening socket; its file is removed when it is dropped.
#[derive(Debug)]
pub struct Listener {
    socket: UnixListener,
    path: PathBuf,
}

impl Listener {
    /// Listens. A file that a killed daemon left is replaced: the caller holds the daemon's lock,
    /// so nobody else listens there.
    ///
    /// # Errors
    /// As the system tells, with the path.
    pub fn bind(path: &Path) -> Result<Self> {
        let explain = |error: Error| Error::new(error.kind(), format!("{}: {error}", path.display()));
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(explain(error)),
            _ => {}
        }
        let socket = UnixListener::bind(path).map_err(explain)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(explain)?;
        Ok(Self { socket, path: path.to_owned() })
    }

    /// For the poll.
    pub fn source(&mut self) -> &mut UnixListener {
        &mut self.socket
    }

    /// The next client that wants to connect; `None` if there is none.
    pub fn accept(&self) -> Option<UnixStream> {
        match self.socket.accept() {
            Ok((stream, _)) => Some(stream),
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => {
                tracing::warn!(%error, "a client could not be accepted");
                None
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
