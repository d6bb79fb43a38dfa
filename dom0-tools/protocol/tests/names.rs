//! Names and numbers that scripts rely on. A failure here is a change of an interface:
//! raise `VERSION` or `SCHEMA` together with it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use abi::domain::{DomainInfo, state};
use protocol::{
    BalloonStats, Call, ErrorCode, Exit, Failure, Payload, Reason, Request, Response, State, Stats, Summary,
};
use serde_json::{Value, json, to_value};
use zerocopy::FromZeros;

fn info() -> DomainInfo {
    let mut info = DomainInfo::new_zeroed();
    info.domain = 3;
    info.state = state::RUNNING;
    info.name[..3].copy_from_slice(b"web");
    info.memory = 65536;
    info.swap_in = 7;
    info.r1_hits = 11;
    info.balloon_stats = [u64::MAX; 16];
    info
}

#[test]
fn calls() {
    let call = to_value(Call::new(Request::Pause { name: "web".into() })).unwrap();
    assert_eq!(call, json!({"version": 1, "request": {"op": "pause", "name": "web"}}));
}

#[test]
fn responses() {
    assert_eq!(to_value(Response::from(Payload::Done)).unwrap(), json!({"ok": {"type": "done"}}));
    let failure = Failure::new(ErrorCode::NoSuchDomain, "no web", "try list");
    assert_eq!(
        to_value(Response::from(failure)).unwrap(),
        json!({"error": {"code": "no_such_domain", "message": "no web", "hint": "try list"}})
    );
}

#[test]
fn counters_have_the_published_names() {
    let stats = to_value(Stats::from_abi(&info(), 5)).unwrap();
    let counters = stats.get("counters").unwrap().as_object().unwrap();
    for name in ["swap_in", "swap_out_bytes", "r1_offers", "r2_drops", "r3_fresh", "large_pages", "merges", "splits"] {
        assert!(counters[name].is_u64(), "{name}");
    }
    for name in ["false_reads_avoided", "ref_lbas", "runs_per_guest_read", "defrag_moved", "resolve_all_ms"] {
        assert_eq!(counters[name], Value::Null, "{name}");
    }
    for name in ["r1_hits", "r1_copies", "preserved"] {
        assert_eq!(counters[name], Value::Null, "{name}");
    }
    assert_eq!((&counters["swap_in"], &counters["r1_offers"]), (&json!(7), &json!(11)));
    assert_eq!(stats["balloon"], Value::Null);
    assert_eq!(stats["memory"]["memory_bytes"], json!(256 << 20));
}

#[test]
fn a_summary_is_readable() {
    let summary = Summary::from(&info());
    assert_eq!((summary.name.as_str(), summary.state, summary.reason), ("web", State::Running, Reason::None));
    let text = to_value(&summary).unwrap();
    assert_eq!((&text["state"], &text["reason"]), (&json!("running"), &json!("none")));
    assert_eq!(serde_json::from_value::<Summary>(text).unwrap(), summary);
}

#[test]
fn balloon_statistics_by_tag() {
    let mut tags = [u64::MAX; 16];
    assert_eq!(BalloonStats::from_abi(&tags), None);
    tags[4] = 1000;
    tags[15] = 1;
    let stats = BalloonStats::from_abi(&tags).unwrap();
    assert_eq!((stats.free_bytes, stats.direct_reclaims, stats.swap_in_bytes), (Some(1000), Some(1), None));
}

#[test]
fn exit_statuses_are_their_positions() {
    for (number, exit) in Exit::ALL.iter().enumerate() {
        assert_eq!(usize::from(exit.status()), number);
    }
}

#[test]
fn unknown_codes_of_the_hypervisor_have_an_image() {
    assert_eq!(State::from_abi(99), State::Dying);
    assert_eq!(Reason::from_abi(99), Reason::Unknown);
    assert!(Reason::Unknown.is_fault(0) && !Reason::GuestExit.is_fault(0) && Reason::GuestExit.is_fault(1));
    assert_eq!(protocol::convert::text(b"a\xff"), "a\u{fffd}");
}
