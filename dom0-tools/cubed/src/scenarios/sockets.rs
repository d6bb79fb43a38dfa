//! Clients at the socket, with the real loop.

use super::world::World;
use crate::server::{Exit, Listener, Loop};
use protocol::{Call, ErrorCode, Payload, Request, Response, wire};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

struct Caller {
    reader: BufReader<UnixStream>,
}

impl Caller {
    fn new(path: &Path) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self { reader: BufReader::new(stream) }
    }

    fn ask(&mut self, request: Request) -> Response {
        wire::send(self.reader.get_mut(), &Call::new(request)).unwrap();
        wire::receive(&mut self.reader).unwrap().unwrap()
    }
}

/// Runs the loop here and the client in a thread, which ends with a shutdown.
fn serve(world: &mut World, client: impl FnOnce(PathBuf) + Send + 'static) {
    let path = world.dir.path().join("socket");
    let server = Loop::new(Listener::bind(&path).unwrap()).unwrap();
    let daemon = world.daemon.take().unwrap();
    let thread = std::thread::spawn(move || {
        let last = path.clone();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| client(path)));
        assert!(matches!(Caller::new(&last).ask(Request::Shutdown), Response::Ok(_)));
        result
    });
    assert!(matches!(server.run(daemon, None), Exit::Asked));
    if let Err(panic) = thread.join().unwrap() {
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn calls_are_answered_in_turn_and_nonsense_is_refused() {
    let mut world = World::new();
    let source = world.toml("guest", "");
    serve(&mut world, move |path| {
        let mut caller = Caller::new(&path);
        assert!(matches!(caller.ask(Request::Version).into_result(), Ok(Payload::Version(_))));
        // Two calls in one packet, the first of which is answered late.
        let mut lines = wire::encode(&Call::new(Request::Create { source, paused: false })).unwrap();
        lines.extend(wire::encode(&Call::new(Request::List)).unwrap());
        caller.reader.get_mut().write_all(&lines).unwrap();
        let mut answers = (0..2).map(|_| wire::receive::<Response>(&mut caller.reader).unwrap().unwrap());
        assert!(matches!(answers.next().unwrap().into_result(), Ok(Payload::Created { id: 1, .. })));
        let Ok(Payload::Domains { domains }) = answers.next().unwrap().into_result() else { panic!() };
        assert_eq!(domains.len(), 1);
        caller.reader.get_mut().write_all(b"nonsense\n").unwrap();
        let failure = wire::receive::<Response>(&mut caller.reader).unwrap().unwrap().into_result().unwrap_err();
        assert_eq!(failure.code, ErrorCode::Usage);
        let old = Call { version: 0, request: Request::List };
        wire::send(caller.reader.get_mut(), &old).unwrap();
        let failure = wire::receive::<Response>(&mut caller.reader).unwrap().unwrap().into_result().unwrap_err();
        assert_eq!(failure.code, ErrorCode::VersionMismatch);
    });
}

#[test]
fn a_console_replays_then_ends_with_its_domain() {
    let mut world = World::new();
    let id = world.create("guest", "");
    let text = format!("{}end\n", "0123456789".repeat(20_000));
    for part in text.as_bytes().chunks(48) {
        let event = crate::channel::Event::Uart { domain: id, bytes: part.to_vec() };
        world.model.borrow_mut().events.push_back(event);
    }
    serve(&mut world, move |path| {
        let mut watcher = Caller::new(&path);
        let request = Request::Console { name: "guest".into(), history: None, history_only: false };
        assert!(matches!(watcher.ask(request).into_result(), Ok(Payload::Console { .. })));
        let mut caller = Caller::new(&path);
        assert!(caller.ask(Request::Kill { name: "guest".into() }).into_result().is_ok());
        let mut seen = String::new();
        watcher.reader.read_to_string(&mut seen).unwrap();
        assert!(text.ends_with(&seen) && seen.len() > 100_000, "{} bytes", seen.len());
    });
}

#[test]
fn a_client_that_leaves_harms_nobody() {
    let mut world = World::new();
    world.create("guest", "");
    serve(&mut world, |path| {
        for request in
            [Request::Wait { name: "guest".into(), timeout_ms: None }, Request::Log { cursor: None, follow: true }]
        {
            let mut caller = Caller::new(&path);
            wire::send(caller.reader.get_mut(), &Call::new(request)).unwrap();
        }
        let mut half = Caller::new(&path);
        half.reader.get_mut().write_all(b"{\"version\":1,").unwrap();
        drop(half);
        let mut caller = Caller::new(&path);
        assert!(matches!(caller.ask(Request::List), Response::Ok(_)));
        let mut long = Caller::new(&path);
        let line = vec![b'x'; wire::MAX_LINE + 10];
        // The daemon may hang up before it has read everything.
        let _ = long.reader.get_mut().write_all(&line);
        let mut answer = String::new();
        let _ = long.reader.read_line(&mut answer);
        assert!(answer.is_empty() || answer.contains("too long"), "{answer}");
    });
}

#[test]
fn clients_that_leave_make_room_for_others() {
    let mut world = World::new();
    world.create("guest", "");
    serve(&mut world, |path| {
        // More than there are places.
        for n in 0..300 {
            let mut caller = Caller::new(&path);
            let wait = Request::Wait { name: "guest".into(), timeout_ms: None };
            wire::send(caller.reader.get_mut(), &Call::new(wait)).unwrap();
            let mut watcher = Caller::new(&path);
            let request = Request::Console { name: "guest".into(), history: None, history_only: false };
            assert!(matches!(watcher.ask(request), Response::Ok(_)), "{n}");
            drop((caller, watcher));
            assert!(matches!(Caller::new(&path).ask(Request::List), Response::Ok(_)), "{n}");
        }
    });
}

#[test]
fn a_client_that_sends_no_more_gets_its_answer() {
    let mut world = World::new();
    world.create("guest", "");
    serve(&mut world, |path| {
        let mut waiter = Caller::new(&path);
        let wait = Request::Wait { name: "guest".into(), timeout_ms: None };
        wire::send(waiter.reader.get_mut(), &Call::new(wait)).unwrap();
        waiter.reader.get_ref().shutdown(std::net::Shutdown::Write).unwrap();
        let mut caller = Caller::new(&path);
        assert!(matches!(caller.ask(Request::List), Response::Ok(_)));
        assert!(matches!(caller.ask(Request::Kill { name: "guest".into() }), Response::Ok(_)));
        let answer = wire::receive::<Response>(&mut waiter.reader).unwrap().unwrap();
        assert!(matches!(answer.into_result(), Ok(Payload::Ended { .. })));
    });
}
