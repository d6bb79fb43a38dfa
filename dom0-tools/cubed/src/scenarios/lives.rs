//! Create, stop, kill, pause, policies, failures.

use super::world::World;
use abi::domain::{reason, state};
use protocol::{ErrorCode, Payload, Reason, Request, State};
use std::time::Duration;

fn ended(payload: Payload) -> (Reason, u64) {
    match payload {
        Payload::Ended { reason, detail, .. } => (reason, detail),
        other => panic!("not ended: {other:?}"),
    }
}

#[test]
fn a_domain_is_created_loaded_and_started() {
    let mut world = World::new();
    let id = world.create("guest", "limit = \"8M\"");
    {
        let mut model = world.model.borrow_mut();
        assert!(model.refusals.is_empty(), "{:?}", model.refusals);
        let domain = model.domain(id);
        assert_eq!((domain.state, domain.memory, domain.limit), (state::RUNNING, 4096, 2048));
        let kinds: Vec<u32> = domain.devices.values().map(|device| device.kind).collect();
        assert_eq!(kinds, [3, 4, 5]);
        match domain.pages.get(&0x100) {
            Some(crate::fake::PageState::Resident { frame, .. }) => assert_eq!(frame[..16], [0xf4; 16]),
            other => panic!("the kernel is not loaded: {other:?}"),
        }
    }
    let Ok(Payload::Domains { domains }) = world.answer(Request::List) else { panic!() };
    assert_eq!((domains.len(), domains[0].name.as_str(), domains[0].state), (1, "guest", State::Running));
}

#[test]
fn names_are_unique_and_mistakes_are_told() {
    let mut world = World::new();
    world.create("guest", "");
    let source = world.toml("guest", "");
    let failure = world.answer(Request::Create { source, paused: false }).unwrap_err();
    assert_eq!(failure.code, ErrorCode::Exists);
    let source = world.toml("other", "colour = 3");
    let failure = world.answer(Request::Create { source, paused: false }).unwrap_err();
    assert_eq!((failure.code, failure.mistakes.len()), (ErrorCode::BadDomainFile, 1));
    let failure = world.answer(Request::Show { name: "nobody".into() }).unwrap_err();
    assert_eq!(failure.code, ErrorCode::NoSuchDomain);
}

#[test]
fn a_domain_that_does_not_fit_leaves_nothing() {
    // Refused by the hypervisor; by the daemon, which knows how much memory there is.
    for (memory, limit, message) in [("64G", "limit = '8M'", "65536 MiB"), ("3G", "", "its limit is 3072 MiB")] {
        let mut world = World::new();
        let source = match world.toml("big", limit) {
            protocol::Source::Text { text, file } => {
                protocol::Source::Text { text: text.replace("\"16M", &format!("\"{memory}")), file }
            }
            other => other,
        };
        let failure = world.answer(Request::Create { source, paused: false }).unwrap_err();
        assert_eq!(failure.code, ErrorCode::NoResources);
        assert!(failure.message.contains(message), "{failure}");
        world.settle();
        assert!(world.model.borrow().domains.is_empty());
    }
}

#[test]
fn stop_presses_the_button_and_waits() {
    let mut world = World::new();
    let id = world.create("guest", "");
    let (client, _) = world.ask(Request::Stop { name: "guest".into(), timeout_ms: None, force: false });
    world.step();
    assert_eq!(world.model.borrow_mut().domain(id).power_button, 1);
    world.model.borrow_mut().end(id, reason::POWER_OFF, 0);
    let payload = world.wait_for(client).into_result().unwrap();
    assert_eq!(ended(payload), (Reason::PowerOff, 0));
    assert!(world.model.borrow().domains.is_empty());
    let again = world.answer(Request::Wait { name: "guest".into(), timeout_ms: None }).unwrap();
    assert_eq!(ended(again).0, Reason::PowerOff);
}

#[test]
fn stop_in_vain_times_out_or_kills() {
    let mut world = World::new();
    world.create("guest", "");
    let stop = |force| Request::Stop { name: "guest".into(), timeout_ms: Some(5000), force };
    let (client, _) = world.ask(stop(false));
    world.ahead += Duration::from_secs(6);
    assert_eq!(world.wait_for(client).into_result().unwrap_err().code, ErrorCode::Timeout);
    let (client, _) = world.ask(stop(true));
    world.ahead += Duration::from_secs(6);
    assert_eq!(ended(world.wait_for(client).into_result().unwrap()).0, Reason::Killed);
    assert!(world.model.borrow().domains.is_empty());
}

#[test]
fn stop_by_force_ends_a_domain_that_cannot_power_off_by_itself() {
    for (paused_at_once, state) in [(true, "built"), (false, "paused")] {
        let mut world = World::new();
        let source = world.toml("guest", "");
        world.answer(Request::Create { source, paused: paused_at_once }).unwrap();
        if !paused_at_once {
            world.answer(Request::Pause { name: "guest".into() }).unwrap();
        }
        let stop = |force| Request::Stop { name: "guest".into(), timeout_ms: Some(5000), force };
        assert_eq!(world.answer(stop(false)).unwrap_err().code, ErrorCode::WrongState, "{state}");
        let (client, _) = world.ask(stop(true));
        world.settle();
        assert_eq!(world.model.borrow().domains.len(), 1, "{state}: not before its time");
        world.ahead += Duration::from_secs(6);
        assert_eq!(ended(world.wait_for(client).into_result().unwrap()).0, Reason::Killed, "{state}");
        assert!(world.model.borrow().domains.is_empty());
    }
}

#[test]
fn pause_resume_start_and_wrong_states() {
    let mut world = World::new();
    let source = world.toml("guest", "");
    world.answer(Request::Create { source, paused: true }).unwrap();
    let name = || "guest".to_owned();
    let wrong = world.answer(Request::Pause { name: name() }).unwrap_err();
    assert_eq!(wrong.code, ErrorCode::WrongState);
    world.answer(Request::Start { name: name() }).unwrap();
    world.answer(Request::Pause { name: name() }).unwrap();
    assert_eq!(world.answer(Request::Start { name: name() }).unwrap_err().code, ErrorCode::WrongState);
    world.answer(Request::Resume { name: name() }).unwrap();
    world.answer(Request::Kill { name: name() }).unwrap();
    assert!(world.model.borrow().domains.is_empty());
    let Ok(Payload::Domain(shown)) = world.answer(Request::Show { name: name() }) else { panic!() };
    assert_eq!(shown.summary.reason, Reason::Killed);
}

#[test]
fn a_crash_is_kept_destroyed_or_restarted_as_the_file_says() {
    for (policy, lives) in [("keep", 1), ("destroy", 0), ("restart", 1)] {
        let mut world = World::new();
        let id = world.create("guest", &format!("on_crash = \"{policy}\""));
        world.model.borrow_mut().end(id, reason::TRIPLE_FAULT, 0);
        world.step();
        world.ahead += Duration::from_secs(60);
        world.settle();
        let living = world.until("the new life", |world| {
            let model = world.model.borrow();
            (model.domains.len() == lives).then(|| model.domains.keys().next().copied())
        });
        assert_eq!(living.is_some_and(|new| new != id), policy == "restart");
        let Ok(Payload::Domain(shown)) = world.answer(Request::Show { name: id.to_string() }) else { panic!() };
        assert_eq!(shown.summary.reason, Reason::TripleFault);
        assert!(shown.reason_text.contains("triple fault"));
    }
}

#[test]
fn a_reboot_is_followed_and_counted() {
    let mut world = World::new();
    let id = world.create("guest", "on_reboot = \"restart\"");
    world.ahead += Duration::from_secs(60);
    world.model.borrow_mut().end(id, reason::RESET, 0);
    world.until("the new life", |world| living(world).filter(|new| *new != id));
    world.settle();
    let Ok(Payload::Domain(shown)) = world.answer(Request::Show { name: "guest".into() }) else { panic!() };
    assert_eq!((shown.restarts, shown.summary.state), (1, State::Running));
}

#[test]
fn a_guest_that_does_nothing_but_reset_is_built_again_less_and_less_often() {
    let mut world = World::new();
    let mut id = world.create("guest", "on_reboot = \"restart\"");
    for pause in 1..4 {
        world.model.borrow_mut().end(id, reason::RESET, 0);
        world.until("the end", |world| world.model.borrow().domains.is_empty().then_some(()));
        let pause = Duration::from_secs(pause);
        let due = world.daemon().deadline().unwrap();
        let left = due.saturating_duration_since(world.now());
        assert!(left <= pause && left > pause / 2, "{left:?} of {pause:?}");
        world.ahead += left;
        id = world.until("the new life", |world| living(world));
    }
    world.model.borrow_mut().end(id, reason::RESET, 0);
    world.settle();
    // Nor ever again, if it is killed while it waits.
    let kill = || Request::Kill { name: "guest".into() };
    world.answer(kill()).unwrap();
    world.ahead += Duration::from_secs(60);
    world.settle();
    assert!(world.model.borrow().domains.is_empty());
    assert_eq!(world.answer(kill()).unwrap_err().code, ErrorCode::NoSuchDomain);
}

/// The domain that runs.
fn living(world: &World) -> Option<u32> {
    let model = world.model.borrow();
    model.domains.iter().find(|(_, domain)| domain.state == state::RUNNING).map(|(id, _)| *id)
}

#[test]
fn limits_balloons_and_switches_reach_the_hypervisor() {
    let mut world = World::new();
    let id = world.create("guest", "");
    let name = || "guest".to_owned();
    world.answer(Request::SetLimit { name: name(), bytes: 5 << 20 }).unwrap();
    world.answer(Request::SetBalloon { name: name(), bytes: 1 << 20 }).unwrap();
    let request = Request::SetReconcile { name: name(), r1: Some(false), r2: None, r3: None };
    let Ok(Payload::Reconcile(now)) = world.answer(request) else { panic!() };
    assert!(!now.r1 && now.r2 && now.r3);
    let mut model = world.model.borrow_mut();
    let domain = model.domain(id);
    assert_eq!((domain.limit, domain.balloon, domain.flags.bits()), (1280, 256, 6));
}
