//! What can be asked, and how the answer looks.

use super::{Buffer, Volume};
use std::sync::Arc;

/// An operation on a medium.
#[derive(Debug)]
pub enum IoOp {
    /// Fill the buffer.
    Read(Buffer),
    /// Store the buffer.
    Write(Buffer),
    /// Make `len` bytes read as zeroes; `unmap`: the space may be given back.
    Zero {
        /// Bytes.
        len: u64,
        /// Give the space back.
        unmap: bool,
    },
    /// Make all completed writes durable (fdatasync).
    Sync,
}

impl IoOp {
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Read(b) | Self::Write(b) => b.len() as u64,
            Self::Zero { len, .. } => *len,
            Self::Sync => 0,
        }
    }

    pub(crate) fn into_buffer(self) -> Option<Buffer> {
        match self {
            Self::Read(b) | Self::Write(b) => Some(b),
            Self::Zero { .. } | Self::Sync => None,
        }
    }
}

/// The end of an operation.
#[derive(Debug)]
pub struct Completion {
    /// As given when it was queued.
    pub token: u64,
    /// How it went.
    pub result: std::io::Result<()>,
    /// The buffer, given back.
    pub buffer: Option<Buffer>,
}

/// An operation under way.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) token: u64,
    pub(crate) volume: Arc<Volume>,
    /// First byte in the volume.
    pub(crate) offset: u64,
    pub(crate) op: IoOp,
}

impl Request {
    pub(crate) fn done(self, result: std::io::Result<()>) -> Completion {
        Completion { token: self.token, result, buffer: self.op.into_buffer() }
    }

    /// True if the kernel can do it directly from and to the buffer.
    pub(crate) fn direct(&self) -> bool {
        let align = self.volume.align();
        match &self.op {
            IoOp::Read(b) | IoOp::Write(b) => self.offset.is_multiple_of(align as u64) && b.aligned(align),
            IoOp::Sync => true,
            IoOp::Zero { .. } => false,
        }
    }
}
