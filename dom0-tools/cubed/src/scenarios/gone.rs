//! Requests whose device was reset or whose domain is gone, and requests that were put off.

use super::logged::logged;
use super::world::{World, header};
use crate::channel::{Buffer, Hypervisor};
use crate::fake::Piece;
use abi::command::op;
use abi::domain::reason;
use protocol::{DeviceKind, Payload, Request};

const IN: u32 = 0;
const GET_ID: u32 = 8;

/// Takes every buffer there is.
fn hog(world: &mut World) -> Vec<Buffer> {
    let pool = world.daemon().hypervisor().pool();
    let sizes = (0..=20).rev().map(|shift| 1 << shift);
    sizes.flat_map(|size| std::iter::from_fn(move || pool.take(size))).collect()
}

fn post(world: &mut World, id: u32, kind: u32, into: Piece) -> u64 {
    let writable = [into, Piece::Bytes(vec![0xee])];
    world.until("a request", |world| {
        world.model.borrow_mut().request(id, 0, 0, &[Piece::Bytes(header(kind, 0))], &writable)
    })
}

#[test]
fn a_request_that_was_put_off_tells_of_dropped_pages_once() {
    for seed in 1..30 {
        let mut world = World::with(256, seed);
        let (id, _) = world.create_with_disk("guest", 16);
        world.store_page(id, 500, 1);
        assert!(world.model.borrow_mut().page_out(id, 500));
        world.settle();
        let buffers = hog(&mut world);
        let name = post(&mut world, id, GET_ID, Piece::Page(500));
        world.step();
        // The guest resets the device, and the page is swapped anew.
        assert!(world.model.borrow_mut().domain(id).requests.remove(&name).is_some());
        world.store_page(id, 500, 2);
        assert!(world.model.borrow_mut().page_out(id, 500));
        drop(buffers);
        world.settle();
        assert_eq!(world.load_page(id, 500), 2, "seed {seed}");
    }
}

#[test]
fn nothing_is_answered_for_a_domain_that_is_gone() {
    for seed in 1..30 {
        let mut world = World::with(256, seed);
        let (id, _) = world.create_with_disk("guest", 16);
        for _ in 0..8 {
            post(&mut world, id, IN, Piece::Bytes(vec![0; 4096]));
        }
        world.daemon().converse_once();
        world.ask(Request::Kill { name: "guest".into() });
        world.until("its end", |world| world.model.borrow().domains.is_empty().then_some(()));
        let before = world.model.borrow().counts.get(&op::COMPLETE).copied();
        world.settle();
        assert_eq!(world.model.borrow().counts.get(&op::COMPLETE).copied(), before, "seed {seed}");
        assert!(world.drives.borrow().units.is_empty(), "its disk is let go of");
    }
}

#[test]
fn who_waits_for_a_domain_that_the_hypervisor_does_not_know_is_answered() {
    let mut world = World::new();
    let id = world.create("guest", "");
    world.ask(Request::Wait { name: "guest".into(), timeout_ms: None });
    world.model.borrow_mut().domains.remove(&id);
    world.ask(Request::Kill { name: "guest".into() });
    let mut answers = 0;
    world.until("both answers", |world| {
        answers += world.daemon().take_outputs().len();
        (answers == 2).then_some(())
    });
}

#[test]
fn input_goes_to_the_domain_that_lives() {
    let mut world = World::new();
    let old = world.create("guest", "on_reboot = \"restart\"\n");
    let room = [Piece::Bytes(vec![0; 8])];
    let speak = |world: &mut World, id| {
        let text = [Piece::Bytes(b"> ".to_vec())];
        let name = world.model.borrow_mut().request(id, 0, 1, &text, &[]).unwrap();
        world.until("the output", |world| world.model.borrow_mut().answer(id, name));
    };
    world.model.borrow_mut().request(old, 0, 0, &[], &room).unwrap();
    speak(&mut world, old);
    world.model.borrow_mut().end(old, reason::RESET, 0);
    let new = world.until("the next one", |world| world.model.borrow().domains.keys().copied().find(|id| *id != old));
    world.until("its start", |world| {
        (world.model.borrow_mut().domain(new).state == abi::domain::state::RUNNING).then_some(())
    });
    let name = world.model.borrow_mut().request(new, 0, 0, &[], &room).unwrap();
    speak(&mut world, new);
    world.daemon().type_in("guest", b"hi");
    let used = world.until("the input", |world| world.model.borrow_mut().answer(new, name));
    assert_eq!(&used.bytes[..2], b"hi");
}

#[test]
fn input_passes_by_a_request_that_is_gone() {
    let mut world = World::new();
    let id = world.create("guest", "");
    let text = [Piece::Bytes(b"> ".to_vec())];
    world.model.borrow_mut().request(id, 0, 1, &text, &[]).unwrap();
    let room = [Piece::Bytes(vec![0; 8])];
    let gone = world.model.borrow_mut().request(id, 0, 0, &[], &room).unwrap();
    let name = world.model.borrow_mut().request(id, 0, 0, &[], &room).unwrap();
    world.settle();
    world.model.borrow_mut().domain(id).requests.remove(&gone);
    world.daemon().type_in("guest", b"hi");
    let used = world.until("the input", |world| world.model.borrow_mut().answer(id, name));
    assert_eq!((used.written, &used.bytes[..2]), (2, &b"hi"[..]));
}

#[test]
fn a_device_is_ready_when_its_driver_says_so() {
    let mut world = World::new();
    let id = world.create("guest", "");
    let ready = |world: &mut World| {
        let Ok(Payload::Domain(shown)) = world.answer(Request::Show { name: "guest".into() }) else { panic!() };
        shown.devices.iter().find(|device| device.kind == DeviceKind::Balloon).unwrap().ready
    };
    let slot = world.model.borrow_mut().domain(id).devices.iter().find(|(_, d)| d.kind == 5).map(|(slot, _)| *slot);
    for (status, expected) in [(None, false), (Some(15), true), (Some(0), false), (Some(15), true), (Some(143), false)]
    {
        if let (Some(status), Some(slot)) = (status, slot) {
            let event = crate::channel::Event::DeviceStatus { domain: id, slot, status };
            world.model.borrow_mut().events.push_back(event);
            world.step();
        }
        assert_eq!(ready(&mut world), expected, "status {status:?}");
    }
}

#[test]
fn input_waits_for_a_buffer() {
    let mut world = World::new();
    let id = world.create("guest", "");
    let text = [Piece::Bytes(b"> ".to_vec())];
    world.model.borrow_mut().request(id, 0, 1, &text, &[]).unwrap();
    world.settle();
    world.daemon().type_in("guest", b"hi");
    let buffers = hog(&mut world);
    let name = world.model.borrow_mut().request(id, 0, 0, &[], &[Piece::Bytes(vec![0; 8])]).unwrap();
    for _ in 0..3 {
        world.step();
    }
    drop(buffers);
    let used = world.until("the input", |world| world.model.borrow_mut().answer(id, name));
    assert_eq!((used.written, &used.bytes[..2]), (2, &b"hi"[..]));
    assert!(world.model.borrow().refusals.is_empty());
}

#[test]
fn an_answer_that_the_hypervisor_refuses_is_logged_with_its_domain_and_device() {
    for kind in [IN, GET_ID, 77] {
        for (error, wanted) in [(abi::Error::Invalid, true), (abi::Error::NotFound, false)] {
            let mut world = World::new();
            let (id, _) = world.create_with_disk("guest", 16);
            let text = logged(|| {
                world.model.borrow_mut().complete_error = Some(error);
                post(&mut world, id, kind, Piece::Bytes(vec![0; 512]));
                world.settle();
            });
            let told = text.contains(&format!("domain={id} slot=0")) && text.contains("not completed");
            assert_eq!(told, wanted, "request {kind}: {text}");
        }
    }
}
