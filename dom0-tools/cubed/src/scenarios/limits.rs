//! Limits and balloons that cannot work are refused with what to do; those without a store first of all.

use super::logged::logged;
use super::world::World;
use protocol::{ErrorCode, Failure, Payload, Request};

fn without_store() -> World {
    let mut world = World::new();
    world.kill();
    world.store = false;
    world.start();
    world
}

fn limit(world: &mut World, bytes: u64) -> Result<Payload, Failure> {
    world.answer(Request::SetLimit { name: "guest".into(), bytes })
}

fn balloon(world: &mut World, bytes: u64) -> Result<Payload, Failure> {
    world.answer(Request::SetBalloon { name: "guest".into(), bytes })
}

fn says(result: Result<Payload, Failure>, code: ErrorCode, message: &str, hint: &str) {
    let failure = result.unwrap_err();
    assert_eq!(failure.code, code, "{failure}");
    assert!(failure.message.contains(message), "{failure}");
    assert!(failure.hint.as_ref().is_some_and(|text| text.contains(hint)), "{failure:?}");
}

#[test]
fn a_limit_below_the_memory_needs_a_store() {
    let mut world = without_store();
    let source = world.toml("guest", "limit = \"8M\"");
    let result = world.answer(Request::Create { source, paused: false });
    says(result, ErrorCode::Unsupported, "a limit of 8 MiB for a domain of 16 MiB needs a swap store", "--store PATH");
    world.settle();
    assert!(world.model.borrow().domains.is_empty());

    let id = world.create("guest", "limit = \"16M\"");
    says(limit(&mut world, 8 << 20), ErrorCode::Unsupported, "needs a swap store", "hypercube.store=");
    assert_eq!(world.model.borrow_mut().domain(id).limit, 4096);
    limit(&mut world, 16 << 20).unwrap();
}

#[test]
fn a_domain_with_a_limit_that_meets_a_daemon_without_a_store_is_told_of() {
    let mut world = World::new();
    world.create("guest", "limit = \"8M\"");
    world.create("whole", "");
    world.kill();
    world.store = false;
    let text = logged(|| world.start());
    let told: Vec<&str> = text.lines().filter(|line| line.contains("no store")).collect();
    assert!(told.len() == 1 && told[0].contains("guest") && told[0].contains("ERROR"), "{text}");
}

#[test]
fn limits_out_of_range_are_refused_with_the_range() {
    let mut world = World::new();
    world.create("guest", "");
    for bytes in [0, 4096, 17 << 20] {
        says(limit(&mut world, bytes), ErrorCode::Usage, "the domain guest has 16 MiB of memory", "from 1M to 16M");
    }
    says(limit(&mut world, 513 << 10), ErrorCode::Usage, "a limit of 513 KiB is out of range", "from 1M to 16M");
    assert!(world.model.borrow().refusals.is_empty());
}

#[test]
fn balloons_out_of_range_or_missing_are_refused_as_such() {
    let mut world = World::new();
    world.create("guest", "");
    says(balloon(&mut world, 17 << 20), ErrorCode::Usage, "a balloon of 17 MiB is out of range", "from 0M to 16M");
    balloon(&mut world, 16 << 20).unwrap();
    let mut world = World::new();
    world.create("guest", "balloon = false");
    says(balloon(&mut world, 0), ErrorCode::Failed, "the domain guest has no balloon", "`balloon = false`");
}
