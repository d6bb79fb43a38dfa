//! The walker of guest tables: right where a processor is right, and harmless on any words.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use paging::guest::{Intent, Mode, PageFault, Registers, WalkError, walk};
use paging::{Access, Gpa, Size};
use proptest::prelude::*;
use std::collections::BTreeMap;

const PG: u64 = 1 << 31;
const WP: u64 = 1 << 16;
const LMA: u64 = 1 << 10;
const NXE: u64 = 1 << 11;
const LA57: u64 = 1 << 12;
const SMEP: u64 = 1 << 20;
const SMAP: u64 = 1 << 21;
const P: u64 = 1;
const W: u64 = 2;
const U: u64 = 4;
const PS: u64 = 0x80;
const NX: u64 = 1 << 63;

fn mode(cr0: u64, cr4: u64) -> Mode {
    let registers = Registers { cr0: PG | cr0, cr3: 0x1000 | 0x18, cr4, efer: LMA | NXE, physical_bits: 40 };
    Mode::new(registers).unwrap()
}

/// Tables at 0x1000 (root), 0x2000, ...; linear 0xffff_8880_0020_3456 leads through indices 273, 0, 1, 3.
fn tables(leaf: u64) -> BTreeMap<u64, u64> {
    let full = P | W | U;
    BTreeMap::from([
        (0x1000 + 273 * 8, 0x2000 | full),
        (0x2000, 0x3000 | full),
        (0x3000 + 8, 0x4000 | full),
        (0x4000 + 3 * 8, leaf),
    ])
}

const LINEAR: u64 = 0xffff_8880_0020_3456;

fn run(mode: Mode, tables: &BTreeMap<u64, u64>, intent: Intent) -> Result<(u64, Size, Access, bool), u32> {
    let result = walk(mode, LINEAR, intent, |at: Gpa| tables.get(&at.0).copied().ok_or(()));
    match result {
        Ok(found) => Ok((found.gpa.0, found.size, found.access, found.user)),
        Err(WalkError::Fault(PageFault { code, address })) => {
            assert_eq!(address, LINEAR);
            Err(code)
        }
        Err(other) => panic!("{other:?}"),
    }
}

const READ: Intent = Intent { write: false, execute: false, user: false, access_user: false };
const WRITE: Intent = Intent { write: true, ..READ };
const FETCH: Intent = Intent { execute: true, ..READ };

#[test]
fn small_and_large_pages() {
    let four_level = mode(WP, 0);
    assert_eq!(run(four_level, &tables(0x9000 | P | W | U), READ), Ok((0x9456, Size::Small, Access::RWX, true)));
    let mut large = tables(0);
    large.insert(0x3008, 0x4000_0000 | P | PS | NX | 0x1000);
    assert_eq!(run(four_level, &large, READ), Ok((0x4000_3456, Size::Large, Access::R, false)));
    large.insert(0x2000, 0x8000_0000 | P | W | PS);
    assert_eq!(run(four_level, &large, READ), Ok((0x8020_3456, Size::Huge, Access::RWX, false)));
}

#[test]
fn five_levels() {
    let mut tables = tables(0x9000 | P | W | U);
    tables.insert(0x1000 + 511 * 8, 0x5000 | P | W | U);
    tables.insert(0x5000 + 273 * 8, 0x2000 | P | W | U);
    assert_eq!(run(mode(WP, LA57), &tables, READ).map(|found| found.0), Ok(0x9456));
}

#[test]
fn faults_have_the_processors_codes() {
    let guarded = mode(WP, SMEP | SMAP);
    let user = Intent { user: true, ..READ };
    assert_eq!(run(guarded, &tables(0), READ), Err(0));
    assert_eq!(run(guarded, &tables(0), Intent { user: true, ..WRITE }), Err(6));
    assert_eq!(run(guarded, &tables(0x9000 | P), user), Err(5));
    assert_eq!(run(guarded, &tables(0x9000 | P), WRITE), Err(3));
    assert!(run(mode(0, 0), &tables(0x9000 | P), WRITE).is_ok(), "without WP the supervisor writes");
    assert_eq!(run(mode(0, 0), &tables(0x9000 | P | U), Intent { user: true, ..WRITE }), Err(7));
    assert_eq!(run(guarded, &tables(0x9000 | P | NX), FETCH), Err(0x11));
    assert_eq!(run(guarded, &tables(0x9000 | P | U), FETCH), Err(0x11), "SMEP");
    assert_eq!(run(guarded, &tables(0x9000 | P | U), READ), Err(1), "SMAP");
    assert!(run(guarded, &tables(0x9000 | P | U), Intent { access_user: true, ..READ }).is_ok());
    assert_eq!(run(guarded, &tables(1 << 45 | P), READ), Err(9), "above the guest's physical width");
    let mut large = tables(0);
    large.insert(0x3008, 0x4000_2000 | P | PS);
    assert_eq!(run(guarded, &large, READ), Err(9), "a large page that is not aligned");
}

#[test]
fn modes() {
    let long = Registers { cr0: PG, cr3: 0, cr4: 0, efer: LMA, physical_bits: 40 };
    assert!(matches!(Mode::new(long), Ok(Mode::Long { levels: 4, .. })));
    assert!(Mode::new(Registers { efer: 0, ..long }).is_err());
    let off = Mode::new(Registers { cr0: 0, ..long }).unwrap();
    let found = walk(off, 0x1_0000_1234, READ, |_| Err::<u64, _>(())).unwrap();
    assert_eq!(found.gpa, Gpa(0x1234));
    let not_canonical = walk(mode(0, 0), 1 << 47, READ, |_| Err::<u64, _>(()));
    assert_eq!(not_canonical, Err(WalkError::NotCanonical));
    let unreadable = walk(mode(0, 0), 0, READ, |_| Err::<u64, _>("swapped"));
    assert_eq!(unreadable, Err(WalkError::Memory(Gpa(0x1000), "swapped")));
}

proptest! {
    #[test]
    fn any_words_take_at_most_five_reads(
        words in prop::collection::vec(any::<u64>(), 5),
        registers in any::<(u64, u64, u64, u64, u8)>(),
        address: u64, write: bool, execute: bool, user: bool,
    ) {
        let (cr0, cr3, cr4, efer, physical_bits) = registers;
        if let Ok(mode) = Mode::new(Registers { cr0, cr3, cr4, efer, physical_bits }) {
            let mut reads = words.iter();
            let intent = Intent { write, execute, user, access_user: false };
            let result = walk(mode, address, intent, |at| {
                assert!(at.0 >> 52 == 0 && at.0 % 8 == 0);
                reads.next().copied().ok_or(())
            });
            prop_assert!(!matches!(result, Err(WalkError::Memory(..))), "a sixth read");
            if let Ok(found) = result {
                prop_assert!(found.gpa.0 >> 52 == 0);
                prop_assert!(!intent.user || found.user);
            }
        }
    }
}
