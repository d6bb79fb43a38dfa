//! Making a store: what is spared, sizes, and space for all of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
use common::*;
use std::os::unix::fs::{FileExt, MetadataExt};
use store::{Backend, Error, Store};

/// The usual place for temporary files may be in memory.
fn on_a_disk() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// Bytes that the file system has given the file.
fn allocated(path: &std::path::Path) -> u64 {
    std::fs::metadata(path).unwrap().blocks() * 512
}

#[test]
fn formatting_spares_what_is_not_ours_and_opening_says_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    std::fs::write(&path, vec![1; 16 << 20]).unwrap();
    assert!(matches!(Store::format(&path, None), Err(Error::Foreign(_))));
    assert!(matches!(Store::open(&path, &options(Backend::Auto)).err(), Some(Error::NoStore(_))));
    let small = dir.path().join("small");
    assert!(matches!(Store::format(&small, Some(1 << 20)), Err(Error::TooSmall(_))));
    let place = place();
    assert!(matches!(Store::format(&place.path, None), Err(Error::Foreign(_))));
    let open = Store::open(&place.path, &options(Backend::Auto)).unwrap();
    assert!(matches!(Store::open(&place.path, &options(Backend::Auto)).err(), Some(Error::InUse(_))));
    drop(open);
    std::fs::OpenOptions::new().write(true).open(&place.path).unwrap().set_len(8 << 20).unwrap();
    assert!(matches!(Store::open(&place.path, &options(Backend::Auto)).err(), Some(Error::Truncated(_))));
}

#[test]
fn nothing_is_formatted_that_something_may_be_on() {
    const SIZE: u64 = 64 << 20;
    // btrfs, UDF, a partition whose table is gone, ZFS at the end, md 1.0, the second GPT.
    for at in [64 << 10, 512 << 10, (1 << 20) + 1024, SIZE - (256 << 10), SIZE - (8 << 10), SIZE - 512] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(SIZE).unwrap();
        file.write_all_at(b"_BHRfS_M", at).unwrap();
        for bytes in [None, Some(2 * SIZE)] {
            assert!(matches!(Store::format(&path, bytes), Err(Error::Foreign(_))), "{at}");
        }
        let content = std::fs::read(&path).unwrap();
        assert_eq!((content.len() as u64, content.iter().filter(|&&byte| byte != 0).count()), (SIZE, 8), "{at}");
        file.write_all_at(&[0; 8], at).unwrap();
        Store::format(&path, None).unwrap();
    }
}

#[test]
fn a_store_has_all_its_space_from_the_start() {
    let dir = on_a_disk();
    let (made, given) = (dir.path().join("made"), dir.path().join("given"));
    Store::format(&made, Some(16 << 20)).unwrap();
    assert!(allocated(&made) >= 16 << 20);
    // Another's sparse file keeps its size.
    std::fs::File::create(&given).unwrap().set_len(8 << 20).unwrap();
    assert_eq!(Store::format(&given, Some(16 << 20)).unwrap().bytes, 8 << 20);
    assert!(allocated(&given) >= 8 << 20);
}

#[test]
fn a_store_in_memory_takes_it_as_it_is_used() {
    let dir = tempfile::tempdir_in("/dev/shm").unwrap();
    let path = dir.path().join("store");
    Store::format(&path, Some(64 << 20)).unwrap();
    assert!(allocated(&path) < 1 << 20);
}

#[test]
fn a_store_that_its_file_system_has_no_space_for_is_refused_and_leaves_nothing() {
    let dir = on_a_disk();
    let path = dir.path().join("store");
    // A sparse file is promised any size.
    let system = rustix::fs::statvfs(dir.path()).unwrap();
    let bytes = 2 * system.f_bfree * system.f_frsize + (1 << 30);
    assert!(matches!(Store::format(&path, Some(bytes)), Err(Error::NoSpace { bytes: b, .. }) if b == bytes));
    assert_eq!((std::fs::metadata(&path).unwrap().len(), allocated(&path)), (0, 0));
    Store::format(&path, Some(16 << 20)).unwrap();
}
