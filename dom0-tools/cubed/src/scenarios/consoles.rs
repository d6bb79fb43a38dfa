//! Consoles and entropy.

use super::logged::logged;
use super::world::World;
use crate::daemon::Reply;
use crate::fake::Piece;
use abi::domain::reason;
use protocol::Request;

const CONSOLE: u32 = 0;

fn history(world: &mut World, name: &str) -> String {
    let request = Request::Console { name: name.into(), history: None, history_only: true };
    let (_, Reply::Console { name, from, .. }) = world.ask(request) else { panic!("no console") };
    let (bytes, _) = world.daemon().console_output(&name, from, usize::MAX).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn print(world: &mut World, id: u32, text: &str) {
    let pieces = [Piece::Bytes(text.as_bytes().to_vec())];
    let name = world.model.borrow_mut().request(id, CONSOLE, 1, &pieces, &[]).unwrap();
    world.until("the output", |world| world.model.borrow_mut().answer(id, name));
}

#[test]
fn uart_and_virtio_are_one_stream_that_outlives_daemon_and_domain() {
    let mut world = World::new();
    let id = world.create("guest", "");
    let early = crate::channel::Event::Uart { domain: id, bytes: b"early\n".to_vec() };
    world.model.borrow_mut().events.push_back(early);
    world.step();
    let long = "x".repeat(5000);
    print(&mut world, id, &long);
    print(&mut world, id, "short");
    assert_eq!(history(&mut world, "guest"), format!("early\n{long}short"));
    world.kill();
    world.start();
    print(&mut world, id, "again");
    assert_eq!(history(&mut world, "guest"), format!("early\n{long}shortagain"));
    world.model.borrow_mut().end(id, reason::POWER_OFF, 0);
    world.until("the end", |world| world.model.borrow().domains.is_empty().then_some(()));
    assert!(history(&mut world, "guest").starts_with("early\n"));
}

#[test]
fn a_guest_that_floods_the_early_console_costs_bounded_memory_and_no_log() {
    let mut world = World::new();
    let id = world.create("guest", "");
    let one = |byte: u8| crate::channel::Event::Uart { domain: id, bytes: vec![byte] };
    let text = logged(|| {
        world.model.borrow_mut().events.extend((0..600_000u32).map(|i| one(b'a' + u8::try_from(i % 26).unwrap())));
        world.settle();
    });
    assert_eq!(text, "");
    let kept = history(&mut world, "guest");
    assert_eq!((kept.len(), kept.ends_with("rstuvwx")), (256 << 10, true));
    let path = world.dir.path().join("run/console/guest");
    let size = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
    let all = size(&path) + size(&path.with_extension("old"));
    assert!((256 << 10..1 << 20).contains(&all), "{all} bytes of log");
}

#[test]
fn a_flood_between_two_writes_of_the_log_is_bounded() {
    let mut console = crate::devices::Console::default();
    for _ in 0..100 {
        console.uart(&[b'x'; 10_000]);
    }
    console.uart(b"end");
    let fresh = console.take_fresh();
    assert_eq!((fresh.len(), &fresh[fresh.len() - 3..]), (256 << 10, &b"end"[..]));
}

#[test]
fn input_goes_where_the_output_came_from() {
    let mut world = World::new();
    let id = world.create("guest", "");
    world.daemon().type_in("guest", b"to the early console, more than thirty-two bytes");
    assert_eq!(world.model.borrow_mut().domain(id).uart_input, b"to the early console, more than thirty-two bytes");
    print(&mut world, id, "login: ");
    world.daemon().type_in("guest", b"root\n");
    let room = [Piece::Bytes(vec![0; 3])];
    let mut typed = Vec::new();
    for _ in 0..2 {
        let name = world.model.borrow_mut().request(id, CONSOLE, 0, &[], &room).unwrap();
        let used = world.until("the input", |world| world.model.borrow_mut().answer(id, name));
        typed.extend_from_slice(&used.bytes[..usize::try_from(used.written).unwrap()]);
    }
    assert_eq!(typed, b"root\n");
}

#[test]
fn a_waiting_receive_request_survives_the_daemon() {
    let mut world = World::new();
    let id = world.create("guest", "");
    let room = [Piece::Bytes(vec![0; 8])];
    let name = world.model.borrow_mut().request(id, CONSOLE, 0, &[], &room).unwrap();
    world.settle();
    world.kill();
    world.start();
    print(&mut world, id, "> ");
    world.daemon().type_in("guest", b"hi");
    let used = world.until("the input", |world| world.model.borrow_mut().answer(id, name));
    assert_eq!(&used.bytes[..2], b"hi");
}

#[test]
fn a_new_daemon_types_where_the_last_output_came_from() {
    let mut world = World::new();
    let id = world.create("guest", "");
    let room = [Piece::Bytes(vec![0; 8])];
    let name = world.model.borrow_mut().request(id, CONSOLE, 0, &[], &room).unwrap();
    print(&mut world, id, "> ");
    world.kill();
    world.start();
    world.daemon().type_in("guest", b"hi");
    let used = world.until("the input", |world| world.model.borrow_mut().answer(id, name));
    assert_eq!(&used.bytes[..2], b"hi");

    let early = crate::channel::Event::Uart { domain: id, bytes: b"# ".to_vec() };
    world.model.borrow_mut().events.push_back(early);
    world.model.borrow_mut().request(id, CONSOLE, 0, &[], &room).unwrap();
    world.settle();
    world.kill();
    world.start();
    world.daemon().type_in("guest", b"ls");
    assert_eq!(world.model.borrow_mut().domain(id).uart_input, b"ls");
}

#[test]
fn entropy_is_given_and_bounded() {
    let mut world = World::new();
    let id = world.create("guest", "");
    let name = world.model.borrow_mut().request(id, 1, 0, &[], &[Piece::Bytes(vec![0; 9000])]).unwrap();
    let used = world.until("entropy", |world| world.model.borrow_mut().answer(id, name));
    assert!(used.written > 0 && used.written <= 4096);
    assert!(used.bytes[..256].iter().any(|byte| *byte != 0));
}
