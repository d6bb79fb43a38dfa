//! The scheduler's arithmetic, simulated: shares by weight, nobody starves, who wakes runs soon.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use policy::fair::{Entity, HEAVIEST, NORMAL, Queue};
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
    let runnable = || tasks.iter().enumerate().filter(|(_, task)| task.runnable).map(|(n, task)| (n, &task.entity));
    queue.advance(runnable().map(|(_, entity)| entity));
    let next = queue.pick(runnable())?;
    for (n, task) in tasks.iter_mut().enumerate() {
        if n == next {
            task.entity.charge(time);
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
        let mut queue = Queue::new(SLICE);
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
        let mut queue = Queue::new(SLICE);
        let mut tasks = vec![task(NORMAL)];
        tasks.extend(weights.iter().map(|weight| task(*weight)));
        for (who, time, wakes) in acts {
            run(&mut queue, &mut tasks, time).unwrap();
            let who = 1 + who % weights.len();
            if wakes && !tasks[who].runnable {
                queue.wake(&mut tasks[who].entity);
            }
            tasks[who].runnable = wakes;
            tasks[who].waited = 0;
        }
        // Until the first one's turn each other can use up its credit and its lead, catch up, and run one slice.
        let bound: u64 = weights.iter().map(|weight| {
            3 * SLICE + Entity::new(NORMAL).scale(3 * SLICE) * u64::from(*weight) / u64::from(NORMAL)
        }).sum();
        prop_assert!(tasks[0].longest <= bound, "waited {} of {}", tasks[0].longest, bound);
    }

    /// However long others have run, one that uses less than its share runs as soon as it wakes up.
    #[test]
    fn who_needs_little_runs_at_once(naps in prop::collection::vec((1u64..SLICE * 10, 1u64..SLICE / 4), 1..200)) {
        let mut queue = Queue::new(SLICE);
        let (mut hog, mut server) = (Entity::new(NORMAL), Entity::new(NORMAL));
        queue.wake(&mut server);
        for (nap, work) in naps {
            // The hog runs at least as long as the server works.
            hog.charge(nap.max(work));
            queue.advance([&hog]);
            queue.wake(&mut server);
            prop_assert!(queue.preempts(&server, &hog));
            prop_assert_eq!(queue.pick([(0, &hog), (1, &server)]), Some(1));
            server.charge(work);
        }
    }

    #[test]
    fn any_numbers(weight: u32, slice: u64, times in prop::collection::vec(any::<u64>(), 1..20)) {
        let mut entity = Entity::new(weight);
        prop_assert!((1..=HEAVIEST).contains(&entity.weight()));
        let mut queue = Queue::new(slice);
        let mut clock = 0;
        for time in times {
            let before = entity.virtual_time();
            prop_assert_eq!(entity.after(time).virtual_time(), { entity.charge(time); entity.virtual_time() });
            prop_assert!(entity.virtual_time() > before || time == 0 || before == u64::MAX);
            queue.advance([&entity]);
            prop_assert_eq!(queue.pick([((), &entity)]), Some(()));
            prop_assert!(!queue.preempts(&entity, &entity));
            prop_assert!(queue.clock() >= clock);
            clock = queue.clock();
            queue.wake(&mut entity);
            queue.join(&mut entity);
        }
    }
}

/// A sleeper comes back at once, but a year of sleep is worth no more than a slice and the lead.
#[test]
fn a_sleeper_gets_little_credit() {
    let mut queue = Queue::new(SLICE);
    let mut tasks = vec![task(NORMAL), task(NORMAL)];
    tasks[1].runnable = false;
    for _ in 0..1000 {
        run(&mut queue, &mut tasks, SLICE).unwrap();
    }
    assert!(tasks[1].ran == 0);
    queue.wake(&mut tasks[1].entity);
    tasks[1].runnable = true;
    assert!(queue.preempts(&tasks[1].entity, &tasks[0].entity));
    assert_eq!(run(&mut queue, &mut tasks, SLICE), Some(1));
    assert!(!tasks[1].entity.is_urgent());
    let mut in_a_row = 1;
    while run(&mut queue, &mut tasks, SLICE) == Some(1) {
        in_a_row += 1;
    }
    assert!(in_a_row <= 2, "{in_a_row}");
}

/// Sleeping for a moment now and then earns the lead once.
#[test]
fn naps_earn_nothing() {
    for run_for in [SLICE / 10, SLICE / 2, SLICE] {
        let mut queue = Queue::new(SLICE);
        let mut tasks = vec![task(NORMAL), task(NORMAL)];
        for _ in 0..10_000 {
            if run(&mut queue, &mut tasks, run_for) == Some(1) {
                tasks[1].runnable = false;
            }
            // Its nap is over before anybody could use it.
            if !tasks[1].runnable {
                queue.wake(&mut tasks[1].entity);
                tasks[1].runnable = true;
            }
        }
        assert!(tasks[1].ran <= tasks[0].ran + 4 * SLICE, "{} {}", tasks[1].ran, tasks[0].ran);
    }
}

/// A newcomer does not get what others had before it came.
#[test]
fn newcomers_start_at_the_clock() {
    let mut queue = Queue::new(SLICE);
    let mut old = Entity::new(NORMAL);
    old.charge(1000 * SLICE);
    queue.advance([&old]);
    let mut new = Entity::new(NORMAL);
    queue.join(&mut new);
    assert_eq!(new.virtual_time(), old.virtual_time());
    assert_eq!(queue.pick(core::iter::empty::<((), &Entity)>()), None);
}

/// Of the CPUs that give way, the one whose work can wait longest.
#[test]
fn places() {
    let queue = Queue::new(SLICE);
    let at = |time: u64| Entity::new(NORMAL).after(time);
    let mut woken = at(SLICE);
    queue.wake(&mut woken);
    assert_eq!(queue.place(&woken, [(0, at(SLICE)), (1, at(3 * SLICE)), (2, at(2 * SLICE))]), Some(1));
    assert_eq!(queue.place(&woken, [(0, woken), (1, woken)]), None);
    let far = woken.after(SLICE / 2).after(10 * SLICE);
    assert_eq!(queue.place(&far, [(0, at(0))]), None);
    assert_eq!(queue.place(&woken, core::iter::empty::<(u32, Entity)>()), None);
}

/// One that serves others goes before them, also when they woke up with as much right.
#[test]
fn service_comes_first() {
    let mut queue = Queue::new(SLICE);
    let mut hog = Entity::new(NORMAL);
    hog.charge(100 * SLICE);
    queue.advance([&hog]);
    for weight in [NORMAL, 4 * NORMAL] {
        let (mut guest, mut server) = (Entity::new(NORMAL), Entity::new(weight).serving());
        queue.wake(&mut guest);
        queue.wake(&mut server);
        assert!(queue.preempts(&server, &guest) && !queue.preempts(&guest, &server));
        // Not for ever: it has had its slice.
        server.charge(2 * SLICE);
        assert!(queue.preempts(&guest, &server));
    }
}
