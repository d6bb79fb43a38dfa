//! Actions that are commands.

use crate::channel::hypervisor::command;
use crate::channel::{Buffer, Hypervisor};
use crate::devices::block::request::{STATUS_IOERR, STATUS_OK};
use abi::command::{Command, complete as flag, op, page_in};
use tesseract::{Op, RequestId, Status};

/// A buffer whose byte `n` is `n`: status bytes are copied from it.
pub(super) fn status_bytes(hypervisor: &mut dyn Hypervisor) -> Option<Buffer> {
    let mut buffer = hypervisor.pool().take(4096)?;
    for (byte, value) in hypervisor.bytes_mut(&mut buffer).iter_mut().zip(0..=3) {
        *byte = value;
    }
    Some(buffer)
}

/// The status byte, last of the `writable` bytes, and the completion.
pub(super) fn complete(request: RequestId, status: Status, associate: bool, writable: u64, bytes: u64) -> [Command; 2] {
    let status = match status {
        Status::Ok => STATUS_OK,
        Status::IoError => STATUS_IOERR,
    };
    let last = writable.saturating_sub(1);
    let flags = if associate { flag::ASSOCIATE } else { 0 };
    [
        command(op::COPY_IN, request.domain, [request.request, last, bytes + u64::from(status), 1]),
        command(op::COMPLETE, request.domain, [request.request, writable, flags]),
    ]
}

/// An offer of a page in a buffer.
pub(super) fn offer(offer: &super::state::Offer, buffer: &Buffer) -> Command {
    let flags = if offer.keep { page_in::KEEP } else { 0 };
    let from = buffer.physical() + offer.at as u64;
    command(op::PAGE_IN_DONE, offer.page.domain, [offer.page.page, offer.block.0, from, flags])
}

/// Actions that are one command without a buffer.
pub(super) fn plain(op: &Op) -> Option<Command> {
    Some(match *op {
        Op::PageOutDone { page, block } => command(op::PAGE_OUT_DONE, page.domain, [page.page, block.0]),
        Op::PageOutFailed { page, reason } => command(op::PAGE_OUT_FAILED, page.domain, [page.page, reason]),
        Op::PageInFailed { page, block } => command(op::PAGE_IN_FAILED, page.domain, [page.page, block.0]),
        Op::MoveReference { page, old, new } => command(op::MOVE_REFERENCE, page.domain, [page.page, old.0, new.0]),
        Op::Retry { domain } => command(op::RETRY, domain, []),
        _ => return None,
    })
}
