//! The connection to the daemon.

use protocol::wire;
use protocol::{Call, ErrorCode, Failure, Payload, Request, Response};
use std::io::{BufReader, Error, ErrorKind};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// Result of everything that can fail.
pub type Result<T> = std::result::Result<T, Failure>;

/// A connection. Calls are answered in order.
pub struct Client {
    stream: BufReader<UnixStream>,
    socket: PathBuf,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// [`ErrorCode::NoDaemon`].
    pub fn connect(socket: &Path) -> Result<Self> {
        let stream = UnixStream::connect(socket).map_err(|error| unreachable_daemon(socket, &error))?;
        Ok(Self { stream: BufReader::new(stream), socket: socket.to_owned() })
    }

    /// One call, one answer.
    ///
    /// # Errors
    /// The daemon's, or the connection's.
    pub fn call(&mut self, request: Request) -> Result<Payload> {
        self.send(request)?;
        self.receive()?
            .ok_or_else(|| self.broken(&Error::new(ErrorKind::UnexpectedEof, "it hung up without an answer")))
    }

    /// Sends a call whose answers are taken with [`Self::receive`].
    ///
    /// # Errors
    /// The connection's.
    pub fn send(&mut self, request: Request) -> Result<()> {
        wire::send(self.stream.get_mut(), &Call::new(request)).map_err(|error| self.broken(&error))
    }

    /// The next answer; `None` when the daemon has hung up.
    ///
    /// # Errors
    /// The daemon's, or the connection's.
    pub fn receive(&mut self) -> Result<Option<Payload>> {
        match wire::receive::<Response>(&mut self.stream) {
            Ok(Some(response)) => response.into_result().map(Some),
            Ok(None) => Ok(None),
            Err(error) => Err(self.broken(&error)),
        }
    }

    /// What was received but not read yet, and the bare stream.
    pub fn into_raw(self) -> (Vec<u8>, UnixStream) {
        (self.stream.buffer().to_vec(), self.stream.into_inner())
    }

    fn broken(&self, error: &Error) -> Failure {
        let message = format!("the conversation with cubed on {} broke off: {error}", self.socket.display());
        match error.kind() {
            ErrorKind::InvalidData => Failure::new(
                ErrorCode::VersionMismatch,
                message,
                "install cube and cubed of one build; `cube version` shows them",
            ),
            _ => Failure::new(ErrorCode::NoDaemon, message, "see whether cubed runs (`cube doctor`), then try again"),
        }
    }
}

/// An answer of a kind that does not belong to the question.
pub fn unexpected(payload: &Payload) -> Failure {
    let kind =
        serde_json::to_value(payload).ok().and_then(|v| Some(v.get("type")?.as_str()?.to_owned())).unwrap_or_default();
    let hint = "install cube and cubed of one build; `cube version` shows them";
    Failure::new(ErrorCode::VersionMismatch, format!("cubed gave an answer of another kind (`{kind}`)"), hint)
}

fn unreachable_daemon(socket: &Path, error: &Error) -> Failure {
    let hint = match error.kind() {
        ErrorKind::PermissionDenied => "run cube as root",
        ErrorKind::NotFound => "start cubed (as root, in dom0), or name its socket with --socket",
        _ => "cubed has ended: start it again",
    };
    Failure::new(ErrorCode::NoDaemon, format!("cannot reach cubed on {}: {error}", socket.display()), hint)
}
