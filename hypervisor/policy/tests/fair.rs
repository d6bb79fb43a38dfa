//! The scheduler's arithmetic, simulated: shares by weight, and nobody starves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use policy::fair::{self, Entity, HEAVIEST, NORMAL, Queue};
use proptest::prelude::*;

const SLICE: u64 = 5_000_000;

#[derive(Clone, Debug)]
struct Task {
    entity: Entity,
    runnable: bool,
    ran: u64,
    waited: u64,
    longest: u64,
}

fn task(weight: u32) -> Task {
    Task { entity: Entity::new(weight), runnable: true, ran: 0, waited: 0, longest: 0 }
}

/// Lets the next one run for `time`.
fn run(queue: &mut Queue, tasks: &mut [Task], time: u64) -> Option<usize> {
    let runnable = tasks.iter().enumerate().filter(|(_, task)| task.runnable).map(|(n, task)| (n, &task.entity));
    let next = queue.pick(runnable)?;
    for (n, task) in tasks.iter_mut().enumerate() {
        if n == next {
            Queue::charge(&mut task.entity, time);
            task.ran += time;
            task.waited = 0;
        } else if task.runnable {
            task.waited += time;
            task.longest = task.longest.max(task.waited);
        }
    }
    Some(next)
}

proptest! {
    /// Those who always want to run get time by weight, give or take a slice each.
    #[test]
    fn shares_follow_weights(weights in prop::collection::vec(16u32..4096, 1..8), turns in 500u64..1500) {
        let mut queue = Queue::new();
        let mut tasks: Vec<Task> = weights.iter().map(|weight| task(*weight)).collect();
        for _ in 0..turns {
            run(&mut queue, &mut tasks, SLICE).unwrap();
        }
        // Virtual times stay within the largest single step of each other.
        let times: Vec<u64> = tasks.iter().map(|task| task.entity.virtual_time()).collect();
        let spread = times.iter().max().unwrap() - times.iter().min().unwrap();
        let step = tasks.iter().map(|task| task.entity.scale(SLICE)).max().unwrap();
        prop_assert!(spread <= step);
        let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
        for task in &tasks {
            let share = turns * SLICE * u64::from(task.entity.weight()) / total;
            let tolerance = SLICE + step * u64::from(task.entity.weight()) / u64::from(NORMAL);
            prop_assert!(task.ran.abs_diff(share) <= tolerance, "{} of {}", task.ran, share);
        }
    }

    /// One that always wants to run waits for a bounded time, whatever the others do: sleep,
    /// wake, run short or long.
    #[test]
    fn nobody_starves(
        weights in prop::collection::vec(64u32..1024, 1..6),
        acts in prop::collection::vec((0..6usize, 1..=SLICE, any::<bool>()), 1..2000),
    ) {
        let mut queue = Queue::new();
        let mut tasks = vec![task(NORMAL)];
        tasks.extend(weights.iter().map(|weight| task(*weight)));
        for (who, time, wakes) in acts {
            run(&mut queue, &mut tasks, time).unwrap();
            let who = 1 + who % weights.len();
            if wakes && !tasks[who].runnable {
                queue.wake(&mut tasks[who].entity, SLICE);
            }
            tasks[who].runnable = wakes;
            tasks[who].waited = 0;
        }
        // Until the first one's turn each other can use up its credit, catch up, and run one slice.
        let bound: u64 = weights.iter().map(|weight| {
            3 * SLICE + Entity::new(NORMAL).scale(SLICE) * u64::from(*weight) / u64::from(NORMAL)
        }).sum();
        prop_assert!(tasks[0].longest <= bound, "waited {} of {}", tasks[0].longest, bound);
    }

    #[test]
    fn any_numbers(weight: u32, times in prop::collection::vec(any::<u64>(), 1..20), total: u64, period: u64, least: u64) {
        let mut entity = Entity::new(weight);
        prop_assert!((1..=HEAVIEST).contains(&entity.weight()));
        let mut queue = Queue::new();
        let mut clock = 0;
        for time in times {
            let before = entity.virtual_time();
            Queue::charge(&mut entity, time);
            prop_assert!(entity.virtual_time() > before || time == 0 || before == u64::MAX);
            prop_assert_eq!(queue.pick([((), &entity)]), Some(()));
            prop_assert!(queue.clock() >= clock);
            clock = queue.clock();
            queue.wake(&mut entity, time);
        }
        let slice = fair::slice(&entity, total, period, least);
        prop_assert!(slice >= least && (slice <= period || slice == least));
    }
}

/// A sleeper comes back at once, but a year of sleep is worth no more than one slice.
#[test]
fn a_sleeper_gets_one_slice_of_credit() {
    let mut queue = Queue::new();
    let mut tasks = vec![task(NORMAL), task(NORMAL)];
    tasks[1].runnable = false;
    for _ in 0..1000 {
        run(&mut queue, &mut tasks, SLICE).unwrap();
    }
    assert!(tasks[1].ran == 0);
    queue.wake(&mut tasks[1].entity, SLICE);
    tasks[1].runnable = true;
    assert!(Queue::preempts(&tasks[1].entity, &tasks[0].entity, SLICE / 10));
    assert_eq!(run(&mut queue, &mut tasks, SLICE), Some(1));
    let mut in_a_row = 1;
    while run(&mut queue, &mut tasks, SLICE) == Some(1) {
        in_a_row += 1;
    }
    assert!(in_a_row <= 2);
}

/// Sleeping for a moment after each slice earns nothing.
#[test]
fn naps_earn_nothing() {
    let mut queue = Queue::new();
    let mut tasks = vec![task(NORMAL), task(NORMAL)];
    for _ in 0..10_000 {
        if run(&mut queue, &mut tasks, SLICE) == Some(1) {
            tasks[1].runnable = false;
        } else if !tasks[1].runnable {
            queue.wake(&mut tasks[1].entity, SLICE);
            tasks[1].runnable = true;
        }
    }
    assert!(tasks[1].ran <= tasks[0].ran + 2 * SLICE, "{} {}", tasks[1].ran, tasks[0].ran);
}

#[test]
fn slices() {
    let entity = Entity::new(NORMAL);
    assert_eq!(fair::slice(&entity, u64::from(NORMAL) * 4, 20, 1), 5);
    assert_eq!(fair::slice(&entity, u64::from(NORMAL) * 400, 20, 3), 3);
    assert_eq!(fair::slice(&entity, 0, 20, 3), 20);
    assert_eq!(Queue::new().pick(core::iter::empty::<((), &Entity)>()), None);
}
