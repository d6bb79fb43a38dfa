//! Adjacent transfers of a batch become one vectored transfer.

use super::{IoOp, Request};

/// Most parts of a group.
const PARTS: usize = 64;
/// Longest group in bytes.
const BYTES: u64 = 1 << 20;

/// Requests of one kind on one volume, each beginning where the last ends.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) parts: Vec<Request>,
    pub(super) bytes: u64,
}

impl Group {
    pub(super) fn of(request: Request) -> Self {
        Self { bytes: request.op.len(), parts: vec![request] }
    }

    fn takes(&self, next: &Request) -> bool {
        let Some(last) = self.parts.last() else {
            return true;
        };
        let same_kind =
            matches!((&last.op, &next.op), (IoOp::Read(_), IoOp::Read(_)) | (IoOp::Write(_), IoOp::Write(_)));
        same_kind
            && std::sync::Arc::ptr_eq(&last.volume, &next.volume)
            && last.offset + last.op.len() == next.offset
            && self.parts.len() < PARTS
            && self.bytes + next.op.len() <= BYTES
    }
}

/// Sorts a batch by place and joins what is adjacent. The order in a batch has no meaning.
pub(super) fn join(mut batch: Vec<Request>) -> Vec<Group> {
    batch.sort_by_key(|r| (std::sync::Arc::as_ptr(&r.volume).addr(), matches!(r.op, IoOp::Write(_)), r.offset));
    let mut groups: Vec<Group> = Vec::new();
    for request in batch {
        match groups.last_mut() {
            Some(group) if group.takes(&request) => {
                group.bytes += request.op.len();
                group.parts.push(request);
            }
            _ => groups.push(Group::of(request)),
        }
    }
    groups
}
