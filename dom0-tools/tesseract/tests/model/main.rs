//! The map against plain memory and plain disks: random guests, an executor that does everything
//! in any order, kills of the daemon and losses of power at any point. Every byte read is compared.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::cast_possible_wrap)]

mod hazards;
mod host;
mod hypervisor;
mod oracle;
mod world;

use hypervisor::Part;
use oracle::SECTORS;
use proptest::prelude::*;
use tesseract::{Config, Switches};
use world::{DISKS, LBAS, PAGES, World};

#[derive(Clone, Debug)]
enum Step {
    Store { page: u64, at: usize },
    Touch { page: u64 },
    Evict { page: u64 },
    Release { page: u64 },
    Transfer { write: bool, disk: u16, sector: u64, parts: Vec<Part> },
    Zero { disk: u16, sector: u64, sectors: u64, unmap: bool },
    Flush { disk: u16 },
    Event,
    Settle,
    Work { pick: usize },
    Command,
    Append,
    Kill,
    PowerLoss,
    BreakJournal,
    MendJournal,
}

fn page() -> impl Strategy<Value = u64> {
    0..PAGES as u64
}

fn disk() -> impl Strategy<Value = u16> {
    prop::sample::select(DISKS.to_vec())
}

fn sector() -> impl Strategy<Value = u64> {
    prop_oneof![3 => (0..LBAS).prop_map(|l| l * 8), 1 => 0..LBAS * 8]
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        4 => page().prop_map(|page| Part { page, first: 0, sectors: SECTORS }),
        1 => (page(), 0..SECTORS, 1..SECTORS).prop_map(|(page, first, n)| Part { page, first, sectors: n.min(SECTORS - first) }),
    ]
}

fn step(power: bool, breaks: bool) -> impl Strategy<Value = Step> {
    let transfer = (any::<bool>(), disk(), sector(), prop::collection::vec(part(), 1..4));
    prop_oneof![
        8 => (page(), 0..SECTORS).prop_map(|(page, at)| Step::Store { page, at }),
        4 => page().prop_map(|page| Step::Touch { page }),
        14 => page().prop_map(|page| Step::Evict { page }),
        1 => page().prop_map(|page| Step::Release { page }),
        16 => transfer.prop_map(|(write, disk, sector, parts)| Step::Transfer { write, disk, sector, parts }),
        1 => (disk(), sector(), 1..30u64, any::<bool>()).prop_map(|(disk, sector, sectors, unmap)| Step::Zero { disk, sector, sectors, unmap }),
        2 => disk().prop_map(|disk| Step::Flush { disk }),
        30 => Just(Step::Event),
        6 => Just(Step::Settle),
        50 => any::<usize>().prop_map(|pick| Step::Work { pick }),
        24 => Just(Step::Command),
        12 => Just(Step::Append),
        1 => Just(Step::Kill),
        1 => Just(if power { Step::PowerLoss } else { Step::Command }),
        1 => Just(if breaks { Step::BreakJournal } else { Step::Append }),
        2 => Just(if breaks { Step::MendJournal } else { Step::Append }),
    ]
}

fn run(world: &mut World, step: Step) {
    match step {
        Step::Store { page, at } => world.store(page, at),
        Step::Touch { page } => world.hypervisor.touch(page),
        Step::Evict { page } => world.hypervisor.evict(page),
        Step::Release { page } => world.hypervisor.release(page),
        Step::Transfer { write, disk, sector, parts } => world.transfer(write, disk, sector, parts),
        Step::Zero { disk, sector, sectors, unmap } => world.zero(disk, sector, sectors, unmap),
        Step::Flush { disk } => world.flush(disk),
        Step::Event => drop(world.event()),
        Step::Settle => world.settle(),
        Step::Work { pick } => drop(world.work(pick)),
        Step::Command => drop(world.command(true)),
        Step::Append => drop(world.append()),
        Step::Kill => world.kill(),
        Step::PowerLoss => world.power_loss(),
        Step::BreakJournal => world.host.journal_broken = true,
        Step::MendJournal => world.host.journal_broken = false,
    }
    world.map.audit().unwrap();
}

/// With how many pages of another domain the history begins.
type Setting = (Config, Switches, bool, u64, u64);

fn setting() -> impl Strategy<Value = Setting> {
    let slots = (prop_oneof![0..4u64, 4..40u64], 0..3u64, 8..12u64);
    (slots, 1..5u64, 1..5u32, any::<(bool, bool, bool, bool)>(), 1..u64::MAX).prop_map(
        |((slots, reserve, neighbour), read_around, run, (r1, r2, r3, moves_in), seed)| {
            let slots = slots + reserve + neighbour;
            let config = Config { reserve, read_around, max_run: run * 4096, ..Config::new(slots) };
            (config, Switches { r1, r2, r3 }, moves_in, seed, neighbour)
        },
    )
}

fn world(setting: Setting) -> World {
    let (config, switches, moves_in, seed, neighbour) = setting;
    let mut world = World::new(config, switches, moves_in);
    world.random = seed;
    world.neighbour_comes(neighbour);
    world
}

fn cases() -> u32 {
    std::env::var("TESSERACT_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(150)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A1 to A4, A6 to A8, A10: no disasters but kills.
    #[test]
    fn guests_see_plain_memory_and_plain_disks(setting in setting(), steps in prop::collection::vec(step(false, false), 1..500)) {
        let mut world = world(setting);
        steps.into_iter().for_each(|s| run(&mut world, s));
        world.check(true);
        prop_assert_eq!(world.errors, 0, "however full the store is");
    }

    /// A5: after a loss of power each disk is as it was at its last flush, or newer.
    #[test]
    fn a_loss_of_power_loses_nothing_that_was_flushed(setting in setting(), steps in prop::collection::vec(step(true, false), 1..500)) {
        let mut world = world(setting);
        steps.into_iter().for_each(|s| run(&mut world, s));
        world.check(true);
        prop_assert_eq!(world.errors, 0, "however full the store is");
    }

    /// A9: transfers fail now and then, and the journal for a while or for good.
    #[test]
    fn errors_are_told_and_corrupt_nothing(setting in setting(), steps in prop::collection::vec(step(false, true), 1..500)) {
        let mut world = world(setting);
        world.faults = 4;
        steps.into_iter().for_each(|s| run(&mut world, s));
        let works = !world.host.journal_broken;
        world.check(works);
    }
}
