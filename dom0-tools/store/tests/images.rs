//! A10: an image whose content is partly in a store is opened only with that store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
use common::*;
use store::{Attached, Backend, Error, Store};
use tesseract::{Medium, Record, RefTable};

fn refs_of(disk: u16) -> RefTable {
    let mut refs = RefTable::new();
    refs.apply(&Record::Set { disk, lba: 1, slot: Some(5) }, &mut Vec::new());
    refs
}

fn attach(store: &mut Store, path: &std::path::Path, refs: &RefTable) -> Attached {
    store.attach(path, true, refs).unwrap()
}

#[test]
fn numbers_stay_with_images_even_when_they_move() {
    let place = place();
    let (a, b) = (image(&place, "a", 1 << 20), image(&place, "b", 2 << 20));
    let (mut store, _) = open(&place.path, Backend::Auto);
    let none = RefTable::new();
    let first = attach(&mut store, &a, &none);
    let second = attach(&mut store, &b, &none);
    assert!(first.disk != second.disk && first.stamped && second.bytes == 2 << 20);
    assert!(matches!(store.attach(&a, true, &none), Err(Error::Attached(_))));
    drop(store);
    let moved = place.dir.path().join("moved");
    std::fs::rename(&b, &moved).unwrap();
    let (mut store, recovered) = open(&place.path, Backend::Auto);
    assert_eq!(recovered.disks.len(), 2);
    assert_eq!(attach(&mut store, &moved, &refs_of(second.disk)).disk, second.disk);
}

#[test]
fn copies_older_images_and_strangers_are_refused_while_references_exist() {
    let place = place();
    let disk = image(&place, "disk", 1 << 20);
    let (mut store, _) = open(&place.path, Backend::Auto);
    let number = attach(&mut store, &disk, &RefTable::new()).disk;
    let refs = refs_of(number);
    drop(store);

    // A copy without attributes in its place.
    let aside = place.dir.path().join("aside");
    std::fs::rename(&disk, &aside).unwrap();
    std::fs::write(&disk, std::fs::read(&aside).unwrap()).unwrap();
    let (mut store, _) = open(&place.path, Backend::Auto);
    assert!(matches!(store.attach(&disk, true, &refs), Err(Error::Stale { .. })));
    // Without references it is as good as any.
    let other = attach(&mut store, &disk, &RefTable::new());
    assert_eq!(other.disk, number);
    drop(store);

    // The image of before that attach.
    let (mut store, _) = open(&place.path, Backend::Auto);
    assert!(matches!(store.attach(&aside, true, &refs), Err(Error::Stale { .. })));
    drop(store);

    // Another store's.
    let elsewhere = common::place();
    let (mut store, _) = open(&elsewhere.path, Backend::Auto);
    assert!(matches!(store.attach(&disk, true, &RefTable::new()), Err(Error::OtherStore { .. })));
}

#[test]
fn a_resolved_image_is_anybodys() {
    let place = place();
    let disk = image(&place, "disk", 1 << 20);
    let (mut store, _) = open(&place.path, Backend::Auto);
    let number = attach(&mut store, &disk, &RefTable::new()).disk;
    write(&mut store, Medium::Disk(number), 512, 1024, 9);
    store.detach(number, true).unwrap();
    drop(store);
    let elsewhere = common::place();
    let (mut store, _) = open(&elsewhere.path, Backend::Auto);
    let number = attach(&mut store, &disk, &RefTable::new()).disk;
    assert_eq!(read(&mut store, Medium::Disk(number), 512, 512), [9; 512]);
}

#[test]
fn an_image_in_use_is_refused_and_a_read_only_one_is_not_changed() {
    let place = place();
    let disk = image(&place, "disk", 1 << 20);
    let before = std::fs::metadata(&disk).unwrap().modified().unwrap();
    let (mut store, _) = open(&place.path, Backend::Auto);
    let attached = store.attach(&disk, false, &RefTable::new()).unwrap();
    store.queue(1, Medium::Disk(attached.disk), 0, store::IoOp::Write(filled(4096, 1)));
    assert!(wait(&mut store, 1)[0].result.is_err());
    let elsewhere = common::place();
    let (mut second, _) = open(&elsewhere.path, Backend::Auto);
    assert!(matches!(second.attach(&disk, true, &RefTable::new()), Err(Error::InUse(_))));
    assert_eq!(std::fs::metadata(&disk).unwrap().modified().unwrap(), before);
}

#[test]
fn an_image_gets_its_number_back_and_no_other_image_gets_it() {
    let place = place();
    let [a, b, c] = ["a", "b", "c"].map(|name| image(&place, name, 1 << 20));
    let none = RefTable::new();
    let (mut store, _) = open(&place.path, Backend::Auto);
    store.reserve(1);
    store.reserve(3);
    assert_eq!(store.attach(&a, true, &none).unwrap().disk, 2);
    assert_eq!(store.attach_as(&b, false, &none, Some(3)).unwrap().disk, 3);
    assert_eq!(store.attach_as(&c, false, &none, Some(2)).unwrap().disk, 4, "2 is taken");
    store.detach(4, false).unwrap();
    assert_eq!(store.attach_as(&c, false, &none, Some(0)).unwrap().disk, 4, "0 is the store itself");
}

#[test]
fn a_number_with_references_is_no_new_image_s() {
    let place = place();
    let [a, b] = ["a", "b"].map(|name| image(&place, name, 1 << 20));
    let refs = refs_of(1);
    let (mut store, _) = open(&place.path, Backend::Auto);
    assert_eq!(attach(&mut store, &a, &refs).disk, 2);
    assert_eq!(store.attach_as(&b, true, &refs, Some(1)).unwrap().disk, 3);
}
