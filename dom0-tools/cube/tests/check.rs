//! `cube check` works without a daemon and tells of every mistake.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::cube;
use std::fs;

#[test]
fn good_and_bad_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("good"), "name='a'\nmemory='64M'\nkernel='k'\n").unwrap();
    fs::write(path("bad"), "nmae='a'\nmemory=64\nkernel='k'\n").unwrap();
    let ran = cube(&["check", "--no-files", &path("good")], b"");
    assert_eq!(ran.status, 0);
    assert_eq!(ran.out, format!("{}: fine: a, 1 vCPU, 64 MiB memory, limit 64 MiB, 0 disks\n", path("good")));

    let ran = cube(&["check", &path("good"), &path("bad"), &path("missing")], b"");
    assert_eq!((ran.status, ran.out.as_str()), (5, ""));
    let bad = path("bad");
    for part in [
        format!("{}:3:8: kernel: ", path("good")),
        format!("{bad}:1:1: nmae: unknown key\n    did you mean `name`?\n"),
        format!("{bad}:2:8: memory: is of type integer, not a string\n"),
        format!("{bad}:3:1: name: is missing\n"),
        format!("{}: cannot be read", path("missing")),
    ] {
        assert!(ran.err.contains(&part), "{part}\n{}", ran.err);
    }

    let json = cube(&["check", "--json", "--no-files", &path("good"), &bad], b"").json();
    assert_eq!((json["files"][0]["ok"].as_bool(), json["files"][1]["ok"].as_bool()), (Some(true), Some(false)));
    assert_eq!(
        (&json["files"][1]["mistakes"][0]["key"], &json["files"][1]["mistakes"][0]["line"]),
        (&"nmae".into(), &1.into())
    );
}

#[test]
fn mistakes_from_the_daemon_look_the_same() {
    use protocol::{Failure, Mistake};
    let daemon = common::Daemon::new(|_, _| {
        let mistake = |line| Mistake {
            file: "/x.toml".into(),
            line,
            column: 1,
            key: "name".into(),
            message: "is odd".into(),
            hint: "even it".into(),
        };
        Some(Failure::bad_file(vec![mistake(1), mistake(2)]).into())
    });
    let file = daemon.folder.path().join("x.toml");
    fs::write(&file, "").unwrap();
    let ran = daemon.cube(&["create", file.to_str().unwrap()]);
    assert_eq!(ran.status, 5);
    assert!(ran.err.starts_with("/x.toml:1:1: name: is odd\n    even it\n/x.toml:2:1:"), "{}", ran.err);
    assert!(ran.err.contains("cube: /x.toml: 2 mistakes\n"), "{}", ran.err);
}

#[test]
fn doctor_without_anything() {
    let ran = cube(&["--socket", "/nonexistent", "doctor", "--json"], b"");
    assert_eq!((ran.status, ran.json()["ok"].as_bool()), (6, Some(false)));
    let ran = cube(&["--socket", "/nonexistent", "doctor"], b"");
    assert!(ran.out.contains("FAILED  there is no service channel"), "{}", ran.out);
}
