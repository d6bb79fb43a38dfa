//! Frames on the debug port (0xe9): `magic, kind, length, payload`.
//!
//! The port is a plain stream of bytes that an emulator may share with its own messages, so a
//! reader skips whatever is between frames. Nothing flows in the other direction.

/// Starts each frame.
const MAGIC: [u8; 4] = [0xc3, b'H', b'C', 0x1e];
/// Magic, kind, and the payload's length as 16 bits, little endian.
const HEADER: usize = MAGIC.len() + 3;
/// Longest payload of a frame, in bytes.
pub const MAX_PAYLOAD: usize = 16 * 1024;
/// The I/O port.
pub const PORT: u16 = 0xe9;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// User space is up and the commands start; empty.
    Ready = 1,
    /// Bytes of the commands' standard output.
    Stdout = 2,
    /// Bytes of the commands' standard error.
    Stderr = 3,
    /// The exit status, as a shell reports it: 32 bits, little endian. The last frame.
    Exit = 4,
    /// A sentence of init's own for the user.
    Note = 5,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Ready, Self::Stdout, Self::Stderr, Self::Exit, Self::Note].into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// One frame, as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it carries.
    pub kind: Kind,
    /// At most [`MAX_PAYLOAD`] bytes.
    pub payload: Vec<u8>,
}

/// The bytes of one or more frames that carry `payload`.
pub fn encode(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + HEADER);
    let mut rest = payload;
    loop {
        let (now, later) = rest.split_at(rest.len().min(MAX_PAYLOAD));
        let length = u16::try_from(now.len()).unwrap_or(0);
        out.extend_from_slice(&MAGIC);
        out.push(kind as u8);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(now);
        if later.is_empty() {
            return out;
        }
        rest = later;
    }
}

/// Takes bytes as they come and gives frames.
#[derive(Debug, Default)]
pub struct Decoder {
    pending: Vec<u8>,
}

impl Decoder {
    /// Adds bytes and returns the frames that they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Frame> {
        self.pending.extend_from_slice(bytes);
        let mut frames = Vec::new();
        let mut start = 0;
        while let Some(step) = next(self.pending.get(start..).unwrap_or_default()) {
            start += step.consumed;
            frames.extend(step.frame);
        }
        self.pending.drain(..start);
        frames
    }
}

struct Step {
    consumed: usize,
    frame: Option<Frame>,
}

/// The next frame or the noise before it; `None` when more bytes are needed.
fn next(bytes: &[u8]) -> Option<Step> {
    let Some(at) = bytes.windows(MAGIC.len()).position(|window| window == MAGIC) else {
        let noise = bytes.len().saturating_sub(MAGIC.len() - 1);
        return (noise > 0).then_some(Step { consumed: noise, frame: None });
    };
    let body = bytes.get(at + MAGIC.len()..)?;
    let [kind, low, high, rest @ ..] = body else {
        return (at > 0).then_some(Step { consumed: at, frame: None });
    };
    let length = usize::from(u16::from_le_bytes([*low, *high]));
    let Some(kind) = Kind::from_byte(*kind).filter(|_| length <= MAX_PAYLOAD) else {
        return Some(Step { consumed: at + MAGIC.len(), frame: None });
    };
    let payload = rest.get(..length)?.to_vec();
    Some(Step { consumed: at + HEADER + length, frame: Some(Frame { kind, payload }) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn frames_survive_any_cutting(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..8),
            cut in 1usize..50,
        ) {
            let mut wire = b"emulator says hello\n".to_vec();
            for payload in &payloads {
                wire.extend(encode(Kind::Stdout, payload));
            }
            let mut decoder = Decoder::default();
            let frames: Vec<_> = wire.chunks(cut).flat_map(|part| decoder.push(part)).collect();
            let got: Vec<_> = frames.into_iter().map(|frame| frame.payload).collect();
            prop_assert_eq!(got, payloads);
        }

        #[test]
        fn noise_is_never_a_crash(noise in prop::collection::vec(any::<u8>(), 0..600)) {
            let mut decoder = Decoder::default();
            decoder.push(&noise);
            prop_assert!(decoder.pending.len() <= noise.len());
        }
    }

    #[test]
    fn long_payloads_are_split_and_empty_ones_kept() {
        let long = vec![7u8; MAX_PAYLOAD * 2 + 1];
        let frames = Decoder::default().push(&encode(Kind::Stderr, &long));
        assert_eq!(frames.len(), 3);
        assert_eq!(frames.iter().map(|frame| frame.payload.len()).sum::<usize>(), long.len());
        let ready = Decoder::default().push(&encode(Kind::Ready, &[]));
        assert_eq!(ready, [Frame { kind: Kind::Ready, payload: vec![] }]);
    }

    #[test]
    fn a_broken_header_is_skipped() {
        let mut wire = encode(Kind::Stdout, b"lost");
        wire[4] = 99;
        wire.extend(encode(Kind::Stdout, b"kept"));
        let frames = Decoder::default().push(&wire);
        assert_eq!(frames.first().unwrap().payload, b"kept");
    }
}
