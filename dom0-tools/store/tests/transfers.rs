//! Bytes come back as they went, whatever the back end, granularity and faults.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
use common::*;
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::{Backend, Buffer, Fault, IoOp, Options, Store};
use tesseract::{Durable, Medium, RefTable};

#[test]
fn both_back_ends_are_found_here() {
    for backend in BACKENDS {
        let place = place();
        assert_eq!(open(&place.path, backend).0.backend(), backend);
    }
    let place = place();
    println!("automatic choice: {:?}", open(&place.path, Backend::Auto).0.backend());
}

#[test]
fn adjacent_slots_of_a_batch_and_scattered_ones() {
    for backend in BACKENDS {
        let place = place();
        let (mut store, _) = open(&place.path, backend);
        let slots: Vec<u64> = (0..200).chain((300..600).step_by(3)).collect();
        for &slot in slots.iter().rev() {
            store.queue(slot, Medium::Store, slot * 4096, IoOp::Write(filled(4096, slot as u8)));
        }
        assert!(wait(&mut store, slots.len()).iter().all(|c| c.result.is_ok()));
        store.sync(9, Durable::Store);
        assert!(wait(&mut store, 1)[0].result.is_ok());
        for &slot in &slots {
            store.queue(slot, Medium::Store, slot * 4096, IoOp::Read(Buffer::allocate(4096).unwrap()));
        }
        for done in wait(&mut store, slots.len()) {
            done.result.unwrap();
            assert!(done.buffer.unwrap().bytes().iter().all(|&b| b == done.token as u8), "slot {}", done.token);
        }
    }
}

#[test]
fn memory_of_the_callers_is_used_in_place() {
    for backend in BACKENDS {
        let place = place();
        let (mut store, _) = open(&place.path, backend);
        let mut memory = filled(8192, 7);
        let base = std::ptr::NonNull::new(memory.bytes_mut().as_mut_ptr()).unwrap();
        // SAFETY: `memory` outlives the transfer and is not touched until it has ended.
        let lent = unsafe { Buffer::lend(base, 4096) };
        store.queue(1, Medium::Store, 0, IoOp::Write(lent));
        wait(&mut store, 1).remove(0).result.unwrap();
        // SAFETY: as above; the first loan has ended.
        let lent = unsafe { Buffer::lend(base.add(4096), 4096) };
        store.queue(1, Medium::Store, 4096, IoOp::Read(lent));
        wait(&mut store, 1).remove(0).result.unwrap();
        assert!(memory.bytes()[..4096].iter().all(|&b| b == 7) && memory.bytes()[4096..].iter().all(|&b| b == 0));
    }
}

#[test]
fn an_error_hits_only_the_block_that_it_belongs_to() {
    for backend in BACKENDS {
        let place = place();
        let at = store::Store::open(&place.path, &options(backend)).unwrap().0.geometry().slots_at;
        let hook: store::FaultHook =
            Arc::new(move |a| (a.offset == at + 5 * 4096 && !a.journal).then_some(Fault::Error(5)));
        let options = Options { faults: Some(hook), ..options(backend) };
        let (mut store, _) = Store::open(&place.path, &options).unwrap();
        for slot in 0..10 {
            store.queue(slot, Medium::Store, slot * 4096, IoOp::Write(filled(4096, 1)));
        }
        for done in wait(&mut store, 10) {
            assert_eq!(done.result.is_err(), done.token == 5);
            assert!(done.buffer.is_some());
        }
    }
}

#[test]
fn out_of_range_and_unknown_media_are_errors_that_give_the_buffer_back() {
    let place = place();
    let (mut store, _) = open(&place.path, Backend::Auto);
    let end = store.geometry().slots * 4096;
    for (i, (medium, offset)) in
        [(Medium::Store, end), (Medium::Store, u64::MAX - 100), (Medium::Disk(4), 0)].into_iter().enumerate()
    {
        store.queue(i as u64, medium, offset, IoOp::Write(filled(4096, 1)));
    }
    assert!(wait(&mut store, 3).iter().all(|c| c.result.is_err() && c.buffer.is_some()));
    store.sync(1, Durable::Disk(9));
    assert!(wait(&mut store, 1)[0].result.is_err());
}

#[test]
fn a_device_of_blocks_of_4_kib_takes_sectors_all_the_same() {
    // The widened path is chosen by alignment; a buffer at an odd address forces it on any device.
    for backend in BACKENDS {
        let place = place();
        let (mut store, _) = open(&place.path, backend);
        write(&mut store, Medium::Store, 0, 12288, 0xaa);
        let mut memory = filled(8192, 0x55);
        let base = std::ptr::NonNull::new(memory.bytes_mut().as_mut_ptr()).unwrap();
        // SAFETY: `memory` outlives the transfer and is not touched until it has ended.
        let odd = unsafe { Buffer::lend(base.add(3), 1000) };
        store.queue(1, Medium::Store, 4000, IoOp::Write(odd));
        wait(&mut store, 1).remove(0).result.unwrap();
        let back = read(&mut store, Medium::Store, 0, 12288);
        let expected = |i: usize| {
            if (4000..5000).contains(&i) { 0x55 } else { 0xaa }
        };
        assert!(back.iter().enumerate().all(|(i, &b)| b == expected(i)));
    }
}

#[derive(Clone, Debug)]
enum Step {
    Write(u64, usize, u8),
    Zero(u64, u64, bool),
    Read(u64, usize),
}

const SECTORS: u64 = 256;

fn step() -> impl Strategy<Value = Step> {
    let range = (0..SECTORS, 1..64u64).prop_map(|(at, n)| (at * 512, n.min(SECTORS - at) * 512));
    prop_oneof![
        (range.clone(), any::<u8>()).prop_map(|((at, n), b)| Step::Write(at, n as usize, b)),
        (range.clone(), any::<bool>()).prop_map(|((at, n), unmap)| Step::Zero(at, n, unmap)),
        range.prop_map(|(at, n)| Step::Read(at, n as usize)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A disk image against plain memory, with transfers that end short now and then.
    #[test]
    fn images_hold_what_was_written(steps in prop::collection::vec(step(), 1..40), uring: bool, short in 0usize..4) {
        let place = place();
        let path = image(&place, "disk", SECTORS * 512);
        let count = AtomicUsize::new(0);
        let hook: store::FaultHook = Arc::new(move |a| {
            (!a.journal && a.len > 0 && short > 0 && count.fetch_add(1, Ordering::Relaxed).is_multiple_of(short + 1))
                .then_some(Fault::Short(a.len as usize / 2))
        });
        let backend = if uring { Backend::Uring } else { Backend::Threads };
        let options = Options { faults: Some(hook), ..options(backend) };
        let (mut store, _) = Store::open(&place.path, &options).unwrap();
        let disk = Medium::Disk(store.attach(&path, true, &RefTable::new()).unwrap().disk);
        let mut model = vec![0u8; (SECTORS * 512) as usize];
        for step in steps {
            match step {
                Step::Write(at, n, b) => {
                    write(&mut store, disk, at, n, b);
                    model[at as usize..at as usize + n].fill(b);
                }
                Step::Zero(at, n, unmap) => {
                    store.queue(1, disk, at, IoOp::Zero { len: n, unmap });
                    wait(&mut store, 1).remove(0).result.unwrap();
                    model[at as usize..(at + n) as usize].fill(0);
                }
                Step::Read(at, n) => prop_assert_eq!(&read(&mut store, disk, at, n), &model[at as usize..at as usize + n]),
            }
        }
        drop(store);
        prop_assert_eq!(std::fs::read(&path).unwrap(), model);
    }
}
