//! Lines of JSON on a byte stream.
//!
//! For daemons that do their own reading there are [`encode`] and [`decode`]; for blocking
//! streams [`send`] and [`receive`]. Invariant: no line makes [`receive`] hold more than [`MAX_LINE`] bytes.

use serde::{Serialize, de::DeserializeOwned};
use std::io::{BufRead, Error, ErrorKind, Read, Result, Write};

/// Longest line, newline included. A domain file must fit into one.
pub const MAX_LINE: usize = 4 << 20;

/// One message as a line, newline included.
///
/// # Errors
/// [`ErrorKind::InvalidData`] if it does not fit into [`MAX_LINE`].
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    if line.len() > MAX_LINE {
        return Err(Error::new(ErrorKind::InvalidData, "the message is too long"));
    }
    Ok(line)
}

/// The message of a line, with or without its newline.
///
/// # Errors
/// [`ErrorKind::InvalidData`] if it is not a message of this type.
pub fn decode<T: DeserializeOwned>(line: &[u8]) -> Result<T> {
    serde_json::from_slice(line).map_err(|e| Error::new(ErrorKind::InvalidData, format!("not understood: {e}")))
}

/// Writes one message and flushes.
///
/// # Errors
/// As [`encode`] and the writer.
pub fn send<T: Serialize>(to: &mut impl Write, message: &T) -> Result<()> {
    to.write_all(&encode(message)?)?;
    to.flush()
}

/// Reads one message; `None` at the end of the stream. Takes no byte after the newline from the
/// reader: what follows a console response is still there.
///
/// # Errors
/// [`ErrorKind::InvalidData`] if the line is too long or no message of this type;
/// [`ErrorKind::UnexpectedEof`] if the stream ends inside a line; the reader's errors.
pub fn receive<T: DeserializeOwned>(from: &mut impl BufRead) -> Result<Option<T>> {
    let mut line = Vec::new();
    from.take(MAX_LINE as u64).read_until(b'\n', &mut line)?;
    match line.last() {
        None => Ok(None),
        Some(b'\n') => decode(&line).map(Some),
        Some(_) if line.len() == MAX_LINE => Err(Error::new(ErrorKind::InvalidData, "the line is too long")),
        Some(_) => Err(Error::new(ErrorKind::UnexpectedEof, "the other side hung up inside a line")),
    }
}
