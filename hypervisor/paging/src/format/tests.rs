use super::*;

fn round_trip<F: Format>() {
    for size in Size::ALL {
        for access in [Access::R, Access::RW, Access::RX, Access::RWX] {
            for memory_type in MemoryType::ALL {
                let frame = Mfn(0xab_cdef_1234 & !(size.frames() - 1));
                for tracking in [0, F::ACCESSED, F::DIRTY, F::TRACKING] {
                    let entry = F::leaf(frame, size, access, memory_type) | tracking;
                    assert!(F::is_present(entry));
                    assert!(F::is_leaf(entry, size.level()));
                    assert_eq!(F::frame(entry, size.level()), frame);
                    assert_eq!(F::access(entry), access);
                    assert_eq!(F::memory_type(entry, size), Some(memory_type));
                    let narrowed = F::with_access(entry, Access::R);
                    assert_eq!(narrowed, F::leaf(frame, size, Access::R, memory_type) | tracking);
                }
            }
        }
    }
    let table = F::table(Mfn(0x1234));
    for level in 1..F::MAX_LEVELS {
        assert!(!F::is_leaf(table, level));
        assert_eq!(F::frame(table, level), Mfn(0x1234));
    }
    assert!(!F::is_present(0));
}

#[test]
fn leaves_and_tables_round_trip() {
    round_trip::<Ept>();
    round_trip::<Npt>();
    round_trip::<LongMode>();
}

/// Words taken from the manuals' tables, so that a wrong constant cannot agree with itself.
#[test]
fn words_are_the_manuals() {
    let wb = MemoryType::WriteBack;
    assert_eq!(Ept::leaf(Mfn(0x12345), Size::Small, Access::RWX, wb), 0x1234_5037);
    assert_eq!(Ept::leaf(Mfn(0x12200), Size::Large, Access::RW, wb), 0x1220_00b3);
    assert_eq!(Ept::leaf(Mfn(0xfee00), Size::Small, Access::RW, MemoryType::Uncacheable), 0xfee0_0003);
    assert_eq!(Ept::table(Mfn(0x77)), 0x7_7007);
    assert_eq!(Ept::pointer(Mfn(0x77), 4), Some(0x7_705e));
    assert_eq!(Ept::pointer(Mfn(0x77), 3), None);
    assert_eq!(Npt::leaf(Mfn(0x12345), Size::Small, Access::RWX, wb), 0x1234_5007);
    assert_eq!(Npt::leaf(Mfn(0x12200), Size::Large, Access::RW, wb), 0x8000_0000_1220_0087);
    assert_eq!(Npt::leaf(Mfn(0x12200), Size::Large, Access::RWX, MemoryType::WriteCombining), 0x1220_108f);
    assert_eq!(Npt::leaf(Mfn(0xfee00), Size::Small, Access::RW, MemoryType::Uncacheable), 0x8000_0000_fee0_001f);
    assert_eq!(Npt::table(Mfn(0x77)), 0x7_7007);
    assert_eq!(LongMode::leaf(Mfn(0x12345), Size::Small, Access::RX, wb), 0x1234_5001);
    assert_eq!(LongMode::table(Mfn(0x77)), 0x7_7003);
}

#[test]
fn only_npt_sets_user() {
    let entry = |user: u64| (user & x86::USER) != 0;
    assert!(entry(Npt::leaf(Mfn(1), Size::Small, Access::R, MemoryType::WriteBack)));
    assert!(!entry(LongMode::leaf(Mfn(1), Size::Small, Access::R, MemoryType::WriteBack)));
}
