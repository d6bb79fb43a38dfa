//! What becomes of a client's request.

use protocol::Response;

/// Names a client's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Client(pub u64);

/// How a request goes on.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Answered.
    Now(Response),
    /// The answer comes as an [`Output`].
    Later,
    /// The connection becomes a console, after this response.
    Console {
        /// The response.
        response: Response,
        /// The console's domain name.
        name: String,
        /// Position in its history from which on to send.
        from: u64,
        /// Close when the history has been sent.
        history_only: bool,
    },
    /// The connection follows the log, after this response.
    Follow {
        /// The response.
        response: Response,
        /// Where the next piece begins.
        cursor: u64,
    },
    /// Answered; then the daemon ends.
    Shutdown(Response),
}

/// Something for a client that waited.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// To whom.
    pub client: Client,
    /// What.
    pub response: Response,
}
