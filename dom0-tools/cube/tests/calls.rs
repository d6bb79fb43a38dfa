//! Each command asks what it should and shows what it is told.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use abi::domain::{DomainInfo, reason, state};
use common::Daemon;
use protocol::{
    Domain, ErrorCode, Failure, Journal, Payload, Policy, Reason, Reconcile, Request, Response, Source, Stats, Store,
    StoreDisk, Summary,
};
use std::fs;
use zerocopy::FromZeros;

fn info() -> DomainInfo {
    let mut info = DomainInfo::new_zeroed();
    info.domain = 3;
    info.state = state::ENDED;
    info.reason = reason::BAD_VIRTQUEUE;
    info.detail = 2 << 32 | 1;
    info.name[..3].copy_from_slice(b"web");
    info.vcpus = 2;
    info.memory = 65536;
    info.limit = 32768;
    info.swap_in = 7;
    info.r1_hits = 4711;
    info.balloon_stats = [u64::MAX; 16];
    info
}

fn answer(request: &Request) -> Response {
    let info = info();
    match request {
        Request::Create { .. } => Payload::Created { id: 3, name: "web".into() },
        Request::List => Payload::Domains { domains: vec![Summary::from(&info)] },
        Request::Stats { .. } => {
            let mut stats = Stats::from_abi(&info, 5);
            stats.counters.r1_hits = Some(42);
            stats.counters.preserved = Some(3);
            Payload::Stats { stats: vec![stats] }
        }
        Request::Stop { .. } => Payload::Ended { id: 3, name: "web".into(), reason: Reason::PowerOff, detail: 0 },
        Request::Wait { .. } => Payload::Ended { id: 3, name: "web".into(), reason: Reason::TripleFault, detail: 0 },
        Request::SetReconcile { r1, .. } => {
            Payload::Reconcile(Reconcile { r1: r1.unwrap_or(true), r2: true, r3: true })
        }
        Request::Show { .. } => Payload::Domain(Box::new(Domain {
            summary: Summary::from(&info),
            reason_text: Reason::BadVirtqueue.text(info.detail),
            file: Some("/etc/web.toml".into()),
            kernel: Some("/boot/vmlinuz".into()),
            initrd: None,
            cmdline: Some("quiet".into()),
            on_reboot: Policy::Restart,
            on_crash: Policy::Keep,
            restarts: 1,
            reconcile: Reconcile::default(),
            ballooned_bytes: 0,
            balloon_target_bytes: 0,
            tables_bytes: 4096,
            devices: Vec::new(),
        })),
        Request::Store => Payload::Store(Store {
            path: "/swap".into(),
            size_bytes: 1 << 30,
            used_bytes: 3 << 20,
            free_bytes: 1021 << 20,
            journal: Journal::Failing,
            disks: vec![StoreDisk { path: "/a.img".into(), references: 12, domains: vec![3, 4], resolving: false }],
            ..Store::default()
        }),
        _ => Payload::Done,
    }
    .into()
}

fn daemon() -> Daemon {
    Daemon::new(|request, _| Some(answer(request)))
}

#[test]
fn silent_commands_ask_for_their_operation() {
    let daemon = daemon();
    let name = || "web".to_owned();
    let cases: [(&[&str], Request); 7] = [
        (&["start", "web"], Request::Start { name: name() }),
        (&["kill", "web"], Request::Kill { name: name() }),
        (&["pause", "web"], Request::Pause { name: name() }),
        (&["resume", "web"], Request::Resume { name: name() }),
        (&["mem", "limit", "web", "64M"], Request::SetLimit { name: name(), bytes: 64 << 20 }),
        (&["mem", "balloon", "web", "1G"], Request::SetBalloon { name: name(), bytes: 1 << 30 }),
        (&["shutdown-daemon"], Request::Shutdown),
    ];
    for (args, request) in cases {
        let ran = daemon.cube(args);
        assert_eq!((ran.status, ran.out.as_str(), ran.err.as_str()), (0, "", ""), "{args:?}");
        assert_eq!(daemon.last(), request);
        assert_eq!(daemon.cube(&[&["--json"], args].concat()).json()["type"], "done");
    }
}

#[test]
fn create_sends_the_text_and_the_absolute_path() {
    let daemon = daemon();
    let file = daemon.folder.path().join("web.toml");
    fs::write(&file, "name = 'web'").unwrap();
    let ran = daemon.cube(&["create", "--paused", file.to_str().unwrap()]);
    assert_eq!((ran.status, ran.out.as_str()), (0, "web is created, not started, with identifier 3\n"));
    let source = Source::Text { text: "name = 'web'".into(), file };
    assert_eq!(daemon.last(), Request::Create { source, paused: true });
}

#[test]
fn stop_and_wait_tell_how_it_ended() {
    let daemon = daemon();
    let ran = daemon.cube(&["stop", "web", "--force", "--timeout", "5"]);
    assert_eq!((ran.status, ran.out.as_str()), (0, "web has ended: the guest powered itself off\n"));
    assert_eq!(daemon.last(), Request::Stop { name: "web".into(), timeout_ms: Some(5000), force: true });
    let ran = daemon.cube(&["wait", "web", "--json"]);
    assert_eq!((ran.status, ran.json()["reason"].as_str()), (12, Some("triple_fault")));
}

#[test]
fn list_and_show_tell_the_reason() {
    let daemon = daemon();
    let ran = daemon.cube(&["list"]);
    let lines: Vec<Vec<&str>> = ran.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0][..4], ["ID", "NAME", "STATE", "VCPUS"]);
    assert_eq!(lines[1][..7], ["3", "web", "ended", "(bad_virtqueue)", "2", "256", "MiB"]);
    let ran = daemon.cube(&["show", "3"]);
    assert_eq!(daemon.last(), Request::Show { name: "3".into() });
    assert!(ran.out.contains("queue 1 of the device in slot 2 broke the virtio specification"), "{}", ran.out);
    let json = daemon.cube(&["show", "web", "--json"]).json();
    assert_eq!(
        (&json["name"], &json["on_crash"], &json["reason"]),
        (&"web".into(), &"keep".into(), &"bad_virtqueue".into())
    );
}

#[test]
fn stats_have_the_published_names() {
    let daemon = daemon();
    let json = daemon.cube(&["stats", "web", "--json"]).json();
    let counters = &json["stats"][0]["counters"];
    assert_eq!((counters["swap_in"].as_u64(), counters["r1_hits"].as_u64()), (Some(7), Some(42)));
    assert_eq!((counters["r1_offers"].as_u64(), counters["preserved"].as_u64()), (Some(4711), Some(3)));
    assert!(counters["ref_lbas"].is_null() && counters["r1_copies"].is_null());
    let ran = daemon.cube(&["stats", "web"]);
    for row in [["r1_offers", "4711"], ["r1_hits", "42"], ["r1_copies", "-"], ["preserved", "3"]] {
        assert!(ran.out.lines().any(|line| line.split_whitespace().eq(row)), "{}", ran.out);
    }
    assert!(daemon.cube(&["stats"]).out.contains(" 42 "));
    let json = daemon.cube(&["mem", "show", "--json"]).json();
    assert_eq!(json["domains"][0]["limit_bytes"], 128 << 20);
}

#[test]
fn the_store_is_shown_with_its_journal_and_its_disks() {
    let daemon = daemon();
    for name in ["store", "swap"] {
        let ran = daemon.cube(&[name]);
        assert_eq!(daemon.last(), Request::Store);
        let lines: Vec<Vec<&str>> = ran.out.lines().map(|line| line.split_whitespace().collect()).collect();
        assert!(lines.contains(&vec!["free", "1021", "MiB"]), "{}", ran.out);
        assert!(ran.out.contains("failing"), "{}", ran.out);
        assert!(lines.contains(&vec!["12", "3", "4", "/a.img"]), "{}", ran.out);
    }
    let json = daemon.cube(&["store", "--json"]).json();
    assert_eq!((&json["type"], &json["journal"]), (&"store".into(), &"failing".into()));
    assert_eq!((&json["used_bytes"], &json["disks"][0]["references"]), (&(3 << 20).into(), &12.into()));
}

#[test]
fn reconcile_changes_only_what_is_given() {
    let daemon = daemon();
    let ran = daemon.cube(&["reconcile", "web", "--r1", "off"]);
    assert_eq!(daemon.last(), Request::SetReconcile { name: "web".into(), r1: Some(false), r2: None, r3: None });
    assert!(ran.out.starts_with("r1  off"), "{}", ran.out);
}

#[test]
fn failures_have_two_lines_and_a_status() {
    let daemon = Daemon::new(|_, _| {
        Some(Failure::new(ErrorCode::NoSuchDomain, "there is no domain web", "`cube list` shows them").into())
    });
    let ran = daemon.cube(&["pause", "web"]);
    assert_eq!((ran.status, ran.out.as_str()), (3, ""));
    assert_eq!(ran.err, "cube: there is no domain web\n    `cube list` shows them\n");
    let ran = daemon.cube(&["pause", "web", "--json"]);
    assert_eq!((ran.status, &ran.json()["error"]["code"]), (3, &"no_such_domain".into()));
}

#[test]
fn a_daemon_that_hangs_up_or_answers_something_else() {
    let daemon = Daemon::new(|_, _| None);
    let ran = daemon.cube(&["list"]);
    assert_eq!(ran.status, 6);
    assert!(ran.err.contains("hung up"), "{}", ran.err);
    let ran = Daemon::done().cube(&["list"]);
    assert_eq!(ran.status, 10);
    assert!(ran.err.contains("`done`"), "{}", ran.err);
}

#[test]
fn no_daemon() {
    let ran = common::cube(&["--socket", "/nonexistent/socket", "list"], b"");
    assert_eq!(ran.status, 6);
    assert!(
        ran.err.contains("cannot reach cubed on /nonexistent/socket") && ran.err.contains("start cubed"),
        "{}",
        ran.err
    );
}

#[test]
fn wrong_command_lines() {
    for args in [
        &[][..],
        &["explode"],
        &["trace"],
        &["mem", "limit", "web", "64"],
        &["reconcile", "web", "--r1", "maybe"],
        &["check"],
    ] {
        let ran = common::cube(args, b"");
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{args:?}");
        for before in [true, false] {
            let json = ["--json"].as_slice();
            let ran = common::cube(&if before { [json, args].concat() } else { [args, json].concat() }, b"");
            let error = &ran.json()["error"];
            assert_eq!((ran.status, &error["code"]), (2, &"usage".into()), "{args:?}");
            let [message, hint] = ["message", "hint"].map(|key| error[key].as_str().unwrap());
            assert!(!message.is_empty() && !hint.is_empty() && !message.contains('\n'), "{error}");
            assert_eq!(ran.err, format!("cube: {message}\n    {hint}\n"));
        }
    }
    let error = &common::cube(&["pause", "--json"], b"").json()["error"];
    assert_eq!(error["message"], "the following required arguments were not provided: <NAME>");
    // Not an option: what follows `--` is a name.
    let ran = common::cube(&["pause", "a", "--", "--json"], b"");
    assert_eq!((ran.status, ran.out.as_str()), (2, ""));
    let ran = common::cube(&["--json", "--help"], b"");
    assert!(ran.status == 0 && ran.out.contains("Usage: cube"), "{}", ran.out);
}

#[test]
fn completions_for_each_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = common::cube(&["completions", shell], b"");
        assert!(ran.status == 0 && ran.out.contains("reconcile"), "{shell}");
    }
}

/// What `cube doctor` finds out about the store when there is none.
fn doctor_without_store(answer: common::Answer) -> (String, String) {
    let ran = Daemon::new(answer).cube(&["doctor", "--json"]);
    let json = ran.json();
    let found = json["checks"].as_array().unwrap().iter().find(|found| found["check"] == "store").unwrap();
    (found["status"].as_str().unwrap().into(), found["message"].as_str().unwrap().into())
}

#[test]
fn doctor_warns_of_a_missing_store_and_fails_only_if_a_domain_needs_one() {
    let (status, message) = doctor_without_store(|request, _| match request {
        Request::Store => Some(Failure::new(ErrorCode::Unsupported, "there is no store", "give one").into()),
        Request::List => Some(Payload::Domains { domains: Vec::new() }.into()),
        _ => Some(answer(request)),
    });
    assert_eq!((status.as_str(), message.as_str()), ("warning", "there is no store"));
    let (status, message) = doctor_without_store(|request, _| match request {
        Request::Store => Some(Failure::new(ErrorCode::Unsupported, "there is no store", "give one").into()),
        _ => Some(answer(request)),
    });
    assert!(status == "failed" && message.ends_with("at their limits: web"), "{status}: {message}");
}
