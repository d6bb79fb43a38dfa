//! Commands whose connection is a stream: console, dmesg, stats --watch.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::Daemon;
use protocol::wire::send;
use protocol::{LogChunk, Payload, Request, Response};
use std::io::{Read, Write};

/// Says hello, then gives everything back in capitals until the client stops writing.
fn echo() -> Daemon {
    Daemon::new(|request, stream| {
        let Request::Console { name, history_only, .. } = request else { return None };
        send(stream, &Response::from(Payload::Console { name: name.clone(), history: 7 })).unwrap();
        stream.write_all(b"before\n").unwrap();
        let mut typed = Vec::new();
        if !history_only {
            stream.read_to_end(&mut typed).unwrap();
        }
        stream.write_all(&typed.to_ascii_uppercase()).unwrap();
        None
    })
}

#[test]
fn console_passes_bytes_until_the_end_of_input() {
    let daemon = echo();
    let ran = daemon.cube_with(&["console", "web", "--replay", "100"], b"abc\n");
    assert_eq!((ran.status, ran.out.as_str()), (0, "before\nABC\n"), "{}", ran.err);
    assert_eq!(daemon.last(), Request::Console { name: "web".into(), history: Some(100), history_only: false });
}

#[test]
fn console_passes_all_of_a_long_input() {
    let typed = "0123456789abcde\n".repeat(4000);
    let ran = echo().cube_with(&["console", "web"], typed.as_bytes());
    assert_eq!(ran.out.len(), 7 + typed.len());
    assert!(ran.out.ends_with("9ABCDE\n"));
}

#[test]
fn console_ends_at_the_escape_character() {
    let ran = echo().cube_with(&["console", "web"], b"abc\x1ddef");
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    assert!(!ran.out.contains("DEF"), "{}", ran.out);
}

#[test]
fn console_history_does_not_read_input() {
    let ran = echo().cube_with(&["console", "web", "--history"], b"abc");
    assert_eq!((ran.status, ran.out.as_str()), (0, "before\n"));
}

#[test]
fn console_history_is_an_object_in_json() {
    let daemon = echo();
    let ran = daemon.cube(&["console", "web", "--history", "--json"]);
    let json = ran.json();
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!((&json["type"], &json["name"], &json["text"]), (&"console".into(), &"web".into(), &"before\n".into()));
}

fn log(cursor: u64, text: &str) -> Response {
    Payload::Log(LogChunk { cursor, next: cursor + text.len() as u64, text: text.into() }).into()
}

#[test]
fn dmesg_asks_until_nothing_is_new() {
    let daemon = Daemon::new(|request, _| {
        let Request::Log { cursor, follow: false } = request else { return None };
        Some(match cursor {
            None => log(100, "one\n"),
            Some(104) => log(104, "two\n"),
            Some(108) => log(108, ""),
            _ => return None,
        })
    });
    let ran = daemon.cube(&["dmesg"]);
    assert_eq!((ran.status, ran.out.as_str()), (0, "one\ntwo\n"));
    assert_eq!(daemon.cube(&["dmesg", "--json"]).out.lines().count(), 3);
}

#[test]
fn dmesg_follows_until_the_daemon_ends() {
    let daemon = Daemon::new(|request, stream| {
        let Request::Log { cursor: None, follow: true } = request else { return None };
        for (n, text) in ["one\n", "", "two\n"].into_iter().enumerate() {
            send(stream, &log(n as u64, text)).unwrap();
        }
        None
    });
    let ran = daemon.cube(&["dmesg", "--follow"]);
    assert_eq!((ran.status, ran.out.as_str()), (0, "one\ntwo\n"));
}

#[test]
fn stats_watch_asks_again() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let daemon = Daemon::new(|_, _| {
        (ASKED.fetch_add(1, Ordering::SeqCst) < 2).then(|| Payload::Stats { stats: Vec::new() }.into())
    });
    let ran = daemon.cube(&["stats", "--watch", "--json"]);
    assert_eq!(ran.status, 6, "the daemon's end must be told");
    assert_eq!(ran.out.lines().count(), 3, "{}", ran.out);
}

#[test]
fn stats_watch_and_a_name_go_together_in_any_order() {
    for args in [&["stats", "--watch", "web"][..], &["stats", "web", "--watch"], &["stats", "web", "--watch=2"]] {
        let daemon = Daemon::new(|_, _| None);
        let ran = daemon.cube(args);
        assert_eq!(ran.status, 6, "{args:?}: {}", ran.err);
        assert_eq!(daemon.last(), Request::Stats { name: Some("web".into()) }, "{args:?}");
    }
}
