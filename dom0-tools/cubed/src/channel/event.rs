//! Events as the daemon handles them: checked, typed, with everything that lay in the detail area.

use super::rings::RawEvent;
use abi::BlockRef;
use abi::event::{HEADER_BYTES, Segment, kind, page_out};
use zerocopy::IntoBytes;

/// Something that the hypervisor asks or tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A virtqueue request is live.
    Request(Request),
    /// A page shall leave memory.
    PageOut {
        /// Its domain.
        domain: u32,
        /// Its name.
        page: u64,
        /// Unchanged since its content was last named.
        clean: bool,
    },
    /// A swapped page is needed.
    PageIn {
        /// Its domain.
        domain: u32,
        /// Its name.
        page: u64,
        /// Its content.
        block: BlockRef,
    },
    /// A swapped page's content is needed no more.
    Release {
        /// Its domain.
        domain: u32,
        /// Its name.
        page: u64,
        /// Its content.
        block: BlockRef,
    },
    /// Output of the early 16550.
    Uart {
        /// The domain.
        domain: u32,
        /// 1 to 48 bytes.
        bytes: Vec<u8>,
    },
    /// The domain changed state by itself.
    State {
        /// The domain.
        domain: u32,
        /// One of [`abi::domain::state`].
        state: u32,
        /// One of [`abi::domain::reason`].
        reason: u32,
    },
    /// A device was reset (status 0) or its driver set the status.
    DeviceStatus {
        /// The domain.
        domain: u32,
        /// The device.
        slot: u32,
        /// The virtio status byte.
        status: u8,
    },
    /// An event that this daemon cannot make sense of.
    Unknown {
        /// Its kind.
        kind: u32,
        /// The domain it names.
        domain: u32,
    },
}

/// A live virtqueue request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The domain.
    pub domain: u32,
    /// The request's name in commands.
    pub id: u64,
    /// The device.
    pub slot: u32,
    /// The queue of the device.
    pub queue: u32,
    /// Device-readable bytes.
    pub readable: u64,
    /// Device-writable bytes.
    pub writable: u64,
    /// The first bytes of the readable part; as many as there are, up to 64.
    pub header: Vec<u8>,
    /// The runs of bytes that make up the readable, then the writable part.
    pub segments: Vec<Segment>,
}

impl From<RawEvent> for Event {
    fn from(raw: RawEvent) -> Self {
        decode(&raw).unwrap_or(Self::Unknown { kind: raw.event.kind, domain: raw.event.domain })
    }
}

fn decode(raw: &RawEvent) -> Option<Event> {
    let abi::event::Event { kind, domain, args } = raw.event;
    Some(match kind {
        kind::REQUEST => Event::Request(request(raw)?),
        kind::PAGE_OUT => Event::PageOut { domain, page: args[0], clean: args[1] & page_out::CLEAN != 0 },
        kind::PAGE_IN => Event::PageIn { domain, page: args[0], block: BlockRef::check(args[1])? },
        kind::RELEASE => Event::Release { domain, page: args[0], block: BlockRef::check(args[1])? },
        kind::UART => {
            let len = usize::try_from(args[0]).ok()?;
            Event::Uart { domain, bytes: args[1..].as_bytes().get(..len)?.to_vec() }
        }
        kind::STATE => {
            Event::State { domain, state: u32::try_from(args[0]).ok()?, reason: u32::try_from(args[1]).ok()? }
        }
        kind::DEVICE_STATUS => {
            Event::DeviceStatus { domain, slot: u32::try_from(args[0]).ok()?, status: u8::try_from(args[1]).ok()? }
        }
        _ => return None,
    })
}

fn request(raw: &RawEvent) -> Option<Request> {
    let [id, slot, queue, readable, writable, segments, _] = raw.event.args;
    let detail = raw.detail?;
    if segments != raw.segments.len() as u64 {
        return None;
    }
    let len = (detail.header_len as usize).min(HEADER_BYTES);
    Some(Request {
        domain: raw.event.domain,
        id,
        slot: u32::try_from(slot).ok()?,
        queue: u32::try_from(queue).ok()?,
        readable,
        writable,
        header: detail.header[..len].to_vec(),
        segments: raw.segments.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(kind: u32, args: [u64; 7]) -> RawEvent {
        RawEvent { event: abi::event::Event { kind, domain: 7, args }, detail: None, segments: Vec::new() }
    }

    #[test]
    fn uart_bytes_follow_the_count() {
        let text = u64::from_le_bytes(*b"hello, w");
        let event = Event::from(raw(kind::UART, [5, text, 0, 0, 0, 0, 0]));
        assert_eq!(event, Event::Uart { domain: 7, bytes: b"hello".to_vec() });
    }

    #[test]
    fn nonsense_is_unknown_not_a_panic() {
        for (kind, args) in [
            (kind::UART, [49, 0, 0, 0, 0, 0, 0]),
            (kind::UART, [u64::MAX; 7]),
            (kind::PAGE_IN, [1, 0, 0, 0, 0, 0, 0]),
            (kind::PAGE_IN, [1, u64::MAX, 0, 0, 0, 0, 0]),
            (kind::REQUEST, [1; 7]),
            (kind::DEVICE_STATUS, [0, 256, 0, 0, 0, 0, 0]),
            (99, [0; 7]),
        ] {
            assert_eq!(Event::from(raw(kind, args)), Event::Unknown { kind, domain: 7 });
        }
    }
}
