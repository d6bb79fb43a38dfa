//! Read-only disks and their numbers, over a restart of the daemon.

use super::world::World;
use crate::fake::{PageState, Piece};
use abi::BlockRef;
use protocol::Request;
use std::path::PathBuf;

const IN: u32 = 0;

fn image(world: &mut World, name: &str, value: u8) -> PathBuf {
    let path = world.disk(name, 8);
    let bytes = vec![value; 8 * 4096];
    std::fs::write(&path, &bytes).unwrap();
    world.drives.borrow_mut().disks.insert(path.clone(), bytes);
    path
}

/// A domain with a writable disk, and a read-only one of this value.
fn create(world: &mut World, name: &str, value: u8) -> u32 {
    let writable = image(world, &format!("{name}.img"), 0);
    let shared = image(world, &format!("{name}.iso"), value);
    let disk = |path: &PathBuf, more: &str| format!("[[disks]]\npath = \"{}\"\n{more}", path.display());
    let more = disk(&writable, "") + &disk(&shared, "readonly = true\n");
    world.create(name, &more)
}

/// The status of a read of the disk in this slot, and the value that came.
fn read(world: &mut World, id: u32, slot: u32, gfn: u64) -> (u8, u8) {
    let (status, _) = world.block_at(id, slot, IN, 8, &[], &[Piece::Page(gfn)]);
    (status, world.load_page(id, gfn))
}

#[test]
fn a_read_only_disk_keeps_its_number_over_a_restart() {
    for mut world in [World::new(), World::on_files()] {
        create(&mut world, "first", 1);
        let id = create(&mut world, "second", 5);
        assert_eq!(read(&mut world, id, 1, 600), (0, 5));
        assert!(world.model.borrow_mut().page_out(id, 600));
        world.settle();
        let dropped = matches!(
            world.model.borrow_mut().domain(id).pages.get(&600),
            Some(PageState::Swapped(block)) if block.kind() == BlockRef::DISK
        );
        assert!(dropped, "the page depends on the disk");

        world.answer(Request::Kill { name: "first".into() }).unwrap();
        world.settle();
        world.kill();
        world.start();
        assert_eq!(read(&mut world, id, 1, 601), (0, 5));
        assert_eq!(world.load_page(id, 600), 5);
        world.kill();
        world.start();
        create(&mut world, "third", 7);
        assert_eq!(read(&mut world, id, 1, 602), (0, 5));
    }
}

#[test]
fn a_disk_that_is_not_there_after_a_restart_leaves_its_number_to_nobody() {
    let mut world = World::on_files();
    let id = create(&mut world, "first", 5);
    let (path, away) = (world.dir.path().join("first.iso"), world.dir.path().join("away"));
    world.kill();
    std::fs::rename(&path, &away).unwrap();
    world.start();
    create(&mut world, "second", 7);
    assert_eq!(read(&mut world, id, 1, 600).0, 1);
    std::fs::rename(&away, &path).unwrap();
    world.kill();
    world.start();
    assert_eq!(read(&mut world, id, 1, 600), (0, 5));
}

#[test]
fn a_domain_is_not_served_from_an_image_that_it_does_not_use() {
    let mut world = World::on_files();
    create(&mut world, "first", 1);
    let id = create(&mut world, "second", 5);
    world.kill();
    // Its record names the first domain's disk.
    let dir = crate::domains::StateDir::open(world.dir.path().join("run")).unwrap();
    let mut record = dir.records().unwrap().into_iter().find(|record| record.id == id).unwrap();
    record.devices.iter_mut().filter_map(|device| device.disk.as_mut()).for_each(|disk| disk.unit = 1);
    dir.save(&record).unwrap();
    world.start();
    assert_eq!(read(&mut world, id, 0, 600).0, 1);
}
