//! Copies at an offset of a chain, against the plain bytes; and the balloon's frame numbers through them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::Ram;
use proptest::prelude::*;
use virtio::{ChainSegment, Fault, balloon, copy};

fn buffers() -> impl Strategy<Value = Vec<ChainSegment>> {
    let buffer = (0u64..0xf000, 1u32..0x800, any::<bool>());
    prop::collection::vec(buffer.prop_map(|(gpa, len, writable)| ChainSegment { gpa, len, writable }), 0..6)
}

fn places(segments: &[ChainSegment], writable: bool) -> Vec<usize> {
    let list = segments.iter().filter(|segment| segment.writable == writable);
    list.flat_map(|segment| segment.gpa as usize..segment.gpa as usize + segment.len as usize).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reads_and_writes_what_is_there(segments in buffers(), offset in 0u32..0x2000, len in 0usize..0x2000) {
        let mut ram = Ram::new(16);
        for (n, byte) in ram.bytes.iter_mut().enumerate() {
            *byte = (n * 31 % 251) as u8;
        }
        let before = ram.bytes.clone();
        let mut to = vec![0xee; len];
        let count = copy::read(&mut ram, &segments, offset, &mut to).unwrap();
        let expect: Vec<u8> = places(&segments, false).into_iter().skip(offset as usize).take(len).map(|at| before[at]).collect();
        prop_assert_eq!(&to[..count], &expect[..]);
        prop_assert!(to[count..].iter().all(|byte| *byte == 0xee));

        let from: Vec<u8> = (0..len).map(|n| (n * 7) as u8).collect();
        let count = copy::write(&mut ram, &segments, offset, &from).unwrap();
        let mut expect = before;
        let targets: Vec<usize> = places(&segments, true).into_iter().skip(offset as usize).take(len).collect();
        for (at, byte) in targets.iter().zip(&from) {
            expect[*at] = *byte;
        }
        prop_assert_eq!(count, targets.len());
        prop_assert_eq!(ram.bytes, expect);
    }

    #[test]
    fn balloon_frames_come_in_batches(numbers in prop::collection::vec(any::<u32>(), 0..700), cut in 0usize..3000, tail in 0usize..4) {
        let mut ram = Ram::new(16);
        let mut bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        bytes.resize(bytes.len() + tail, 0xff);
        ram.put(0x1000, &bytes);
        // Two buffers, cut anywhere, also within a number.
        let cut = cut.min(bytes.len());
        let parts = [(0, cut), (cut, bytes.len() - cut)];
        let segments: Vec<_> = parts.iter().filter(|(_, len)| *len != 0)
            .map(|(at, len)| ChainSegment { gpa: 0x1000 + *at as u64, len: *len as u32, writable: false }).collect();
        let mut got = Vec::new();
        loop {
            let batch = balloon::frames(&mut ram, &segments, got.len() as u32).unwrap();
            if batch.is_empty() {
                break;
            }
            got.extend(batch);
        }
        prop_assert_eq!(got, numbers);
    }
}

#[test]
fn missing_pages_are_named() {
    let mut ram = Ram::new(16);
    ram.absent.insert(2);
    let segments = [ChainSegment { gpa: 0x1ff0, len: 0x20, writable: false }];
    assert_eq!(copy::read(&mut ram, &segments, 0, &mut [0; 0x20]), Err(Fault::NotPresent(2)));
    assert_eq!(balloon::frames(&mut ram, &segments, 0), Err(Fault::NotPresent(2)));
    assert_eq!(balloon::frames(&mut ram, &segments, u32::MAX).unwrap()[..], []);
    assert_eq!(copy::read(&mut ram, &segments, 0, &mut [0; 0x10]), Ok(0x10));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A swapped page ends what comes along with a request, and is zeroes in a copy of the whole.
    #[test]
    fn what_is_missing_is_zero_or_left_out(segments in buffers(), absent in prop::collection::btree_set(0u64..16, 0..6),
        offset in 0u32..0x1000, len in 0usize..0x2000) {
        let mut ram = Ram::new(16);
        for (n, byte) in ram.bytes.iter_mut().enumerate() {
            *byte = (n * 31 % 251) as u8 + 1;
        }
        ram.absent = absent;
        let there = |at: usize| !ram.absent.contains(&((at / 4096) as u64));
        let all = places(&segments, false);
        let expect: Vec<u8> = all.iter().skip(offset as usize).take(len).map(|&at| if there(at) { ram.bytes[at] } else { 0 }).collect();
        let start: Vec<u8> = all.iter().take(len).take_while(|&&at| there(at)).map(|&at| ram.bytes[at]).collect();
        let mut to = vec![0xee; len];
        prop_assert_eq!(copy::read_or_zero(&mut ram, &segments, offset, &mut to), Ok(expect.len()));
        prop_assert_eq!(&to[..expect.len()], &expect[..]);
        prop_assert_eq!(copy::read_present(&mut ram, &segments, &mut to), Ok(start.len()));
        prop_assert_eq!(&to[..start.len()], &start[..]);
    }
}
