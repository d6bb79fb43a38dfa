//! Runs cases side by side, as many as the host has CPUs for.

use super::{Case, Context, TestOptions, Verdict, report};
use crate::{
    build::Bases,
    tree::{self, Tree},
};
use anyhow::Result;
use std::{
    cmp::Reverse,
    collections::VecDeque,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// A case that was run.
pub struct Finished {
    /// Its name.
    pub name: String,
    /// What it came to.
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
}

/// Where a case's logs are, below the build folder.
pub fn folder_of(tree: &Tree, name: &str) -> std::path::PathBuf {
    tree.build.join("test-logs").join(name.replace('/', "."))
}

struct State {
    waiting: VecDeque<Case>,
    free: u32,
}

/// Runs all: those that need all CPUs first, then the long ones first, so that no CPU is idle at the end.
pub fn run(tree: &Tree, mut cases: Vec<Case>, bases: &Bases, options: &TestOptions) -> Result<Vec<Finished>> {
    let cpus = thread::available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(1));
    let cpus = options.jobs.unwrap_or(cpus).max(1);
    cases
        .sort_by_key(|case| Reverse((case.cpus.min(cpus), if case.machine.is_some() { case.limit } else { u64::MAX })));
    let total = cases.len();
    let state = Mutex::new(State { waiting: cases.into(), free: cpus });
    let (room, finished) = (Condvar::new(), Mutex::new(Vec::with_capacity(total)));
    thread::scope(|scope| {
        for _ in 0..cpus {
            scope.spawn(|| {
                while let Some((case, share)) = take(&state, &room, cpus) {
                    let done = run_one(tree, &case, bases);
                    let mut all = lock(&finished);
                    all.push(done);
                    report::progress(tree, all.last(), all.len(), total);
                    drop(all);
                    lock(&state).free += share;
                    room.notify_all();
                }
            });
        }
    });
    Ok(finished.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// The next case, once there is room for it, and the room that it takes.
fn take(state: &Mutex<State>, room: &Condvar, cpus: u32) -> Option<(Case, u32)> {
    let mut state = lock(state);
    loop {
        let share = state.waiting.front()?.cpus.clamp(1, cpus);
        if share <= state.free {
            state.free -= share;
            return Some((state.waiting.pop_front()?, share));
        }
        state = room.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
}

fn run_one(tree: &Tree, case: &Case, bases: &Bases) -> Finished {
    let start = Instant::now();
    let verdict = match &case.skip {
        Some(reason) => Verdict::Skipped(reason.clone()),
        None => catch_unwind(AssertUnwindSafe(|| attempt(tree, case, bases)))
            .unwrap_or_else(|_| Verdict::Failed(vec!["the harness itself failed, see above".to_owned()])),
    };
    Finished { name: case.name.clone(), verdict, took: start.elapsed() }
}

fn attempt(tree: &Tree, case: &Case, bases: &Bases) -> Verdict {
    let folder = folder_of(tree, &case.name);
    // Logs of an earlier run would be taken for this one's.
    let _ = fs::remove_dir_all(&folder);
    let result = tree::create(&folder)
        .and_then(|folder| (case.run)(&Context { tree, folder, bases, build: case.build.clone() }));
    result.unwrap_or_else(|error| Verdict::Failed(vec![format!("{error:#}")]))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
