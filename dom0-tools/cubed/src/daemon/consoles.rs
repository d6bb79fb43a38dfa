//! The consoles by domain name: a console outlives its domain, so that a restarted domain goes on
//! where it was and the last words of an ended one can be read.

use crate::devices::Console;
use crate::domains::StateDir;
use crate::domains::console_log::ConsoleLog;
use std::collections::BTreeMap;

/// Consoles of domains that are gone, kept at most.
const KEPT: usize = 64;

/// A console and its file.
#[derive(Debug)]
struct Slot {
    console: Console,
    log: ConsoleLog,
    live: bool,
    age: u64,
}

/// All consoles.
#[derive(Debug)]
pub struct Consoles {
    dir: StateDir,
    slots: BTreeMap<String, Slot>,
    clock: u64,
}

impl Consoles {
    /// None yet.
    #[must_use]
    pub fn new(dir: StateDir) -> Self {
        Self { dir, slots: BTreeMap::new(), clock: 0 }
    }

    /// A domain of this name lives: its console, with the history that there is.
    pub fn open(&mut self, name: &str) -> &mut Console {
        let slot = self.slot(name);
        slot.live = true;
        &mut slot.console
    }

    fn slot(&mut self, name: &str) -> &mut Slot {
        self.clock += 1;
        let (dir, age) = (&self.dir, self.clock);
        let slot = self.slots.entry(name.to_owned()).or_insert_with(|| {
            let (log, history) = ConsoleLog::open(dir.console(name));
            let mut console = Console::default();
            console.restore(&history);
            Slot { console, log, live: false, age }
        });
        slot.age = age;
        slot
    }

    /// The console of a domain of this name, live or not, with what its file remembers.
    pub fn open_history(&mut self, name: &str) -> &mut Console {
        &mut self.slot(name).console
    }

    /// The console of a domain of this name, live or not.
    pub fn get(&self, name: &str) -> Option<&Console> {
        self.slots.get(name).map(|slot| &slot.console)
    }

    /// The same, to change.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Console> {
        self.slots.get_mut(name).map(|slot| &mut slot.console)
    }

    /// True if there is more to come.
    #[must_use]
    pub fn live(&self, name: &str) -> bool {
        self.slots.get(name).is_some_and(|slot| slot.live)
    }

    /// The domain is gone; the oldest of those whose domains are gone may be dropped.
    pub fn close(&mut self, name: &str) {
        if let Some(slot) = self.slots.get_mut(name) {
            slot.console.reset();
            slot.live = false;
        }
        let dead: Vec<(u64, &String)> =
            self.slots.iter().filter(|(_, slot)| !slot.live).map(|(name, slot)| (slot.age, name)).collect();
        if dead.len() > KEPT
            && let Some((_, oldest)) = dead.into_iter().min()
        {
            let oldest = oldest.clone();
            self.slots.remove(&oldest);
        }
    }

    /// Writes fresh output to the files.
    pub fn log(&mut self) {
        for slot in self.slots.values_mut() {
            let fresh = slot.console.take_fresh();
            if !fresh.is_empty() {
                slot.log.write(&fresh);
            }
        }
    }
}
