//! Where a store is made, and where it is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
use common::*;
use std::os::unix::fs::FileExt;
use store::{Backend, Error, Store};

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
