//! Lines: what is sent is received; what is too long, cut or wrong is refused.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use protocol::wire::{MAX_LINE, decode, encode, receive, send};
use protocol::{Call, ErrorCode, Failure, Payload, Request, Response, Source};
use std::io::{BufReader, ErrorKind, Read};

fn requests() -> impl Strategy<Value = Request> {
    let name = || ".{0,40}";
    prop_oneof![
        Just(Request::Version),
        Just(Request::List),
        (".*", name(), any::<bool>()).prop_map(|(text, file, paused)| Request::Create {
            source: Source::Text { text, file: file.into() },
            paused
        }),
        (name(), any::<Option<u64>>(), any::<bool>()).prop_map(|(name, timeout_ms, force)| Request::Stop {
            name,
            timeout_ms,
            force
        }),
        (name(), any::<u64>()).prop_map(|(name, bytes)| Request::SetLimit { name, bytes }),
        (name(), any::<Option<bool>>(), any::<Option<bool>>()).prop_map(|(name, r1, r3)| Request::SetReconcile {
            name,
            r1,
            r2: None,
            r3
        }),
        (any::<Option<u64>>(), any::<bool>()).prop_map(|(cursor, follow)| Request::Log { cursor, follow }),
    ]
}

proptest! {
    #[test]
    fn calls_survive(requests in proptest::collection::vec(requests(), 0..8)) {
        let mut stream = Vec::new();
        for request in &requests {
            send(&mut stream, &Call::new(request.clone())).unwrap();
        }
        prop_assert_eq!(stream.iter().filter(|&&b| b == b'\n').count(), requests.len());
        let mut from = BufReader::with_capacity(7, stream.as_slice());
        for request in requests {
            prop_assert_eq!(receive::<Call>(&mut from).unwrap().unwrap().request, request);
        }
        prop_assert!(receive::<Call>(&mut from).unwrap().is_none());
    }

    #[test]
    fn noise_is_refused(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode::<Call>(&noise);
        let _ = receive::<Response>(&mut noise.as_slice());
    }
}

#[test]
fn raw_bytes_after_a_response_stay_in_the_reader() {
    let mut stream = encode(&Response::from(Payload::Console { name: "a".into(), history: 3 })).unwrap();
    stream.extend_from_slice(b"raw\nbytes");
    let mut from = BufReader::new(stream.as_slice());
    assert!(receive::<Response>(&mut from).unwrap().unwrap().into_result().is_ok());
    let mut rest = Vec::new();
    from.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"raw\nbytes");
}

#[test]
fn a_line_without_end_is_not_collected_for_ever() {
    let mut from = BufReader::new(std::io::repeat(b'x'));
    assert_eq!(receive::<Call>(&mut from).unwrap_err().kind(), ErrorKind::InvalidData);
    let long = Failure::new(ErrorCode::Failed, "x".repeat(MAX_LINE), "");
    assert_eq!(encode(&long).unwrap_err().kind(), ErrorKind::InvalidData);
}

#[test]
fn a_cut_line_is_an_error_not_an_end() {
    let line = encode(&Call::new(Request::List)).unwrap();
    let error = receive::<Call>(&mut &line[..line.len() - 2]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}
