//! Who may work on which blocks of a disk, in the order of arrival.
//!
//! A job asks for one range, shared (it reads) or exclusive (it writes), and is granted when no
//! earlier job that is still here overlaps it, unless both only read. First come, first served:
//! nobody starves, and there is no deadlock, because a job has one range only.

/// Names a job.
pub(crate) type JobId = u64;

#[derive(Debug)]
struct Entry {
    job: JobId,
    first: u64,
    end: u64,
    exclusive: bool,
    granted: bool,
}

/// The jobs of one disk.
#[derive(Default, Debug)]
pub(crate) struct Queue {
    entries: Vec<Entry>,
}

impl Queue {
    /// Enters a job for blocks `first..end`. True if it may go at once.
    pub(crate) fn enter(&mut self, job: JobId, first: u64, end: u64, exclusive: bool) -> bool {
        let granted = !self.entries.iter().any(|e| e.first < end && first < e.end && (e.exclusive || exclusive));
        self.entries.push(Entry { job, first, end, exclusive, granted });
        granted
    }

    /// Removes a job; appends those that may go now, oldest first.
    pub(crate) fn leave(&mut self, job: JobId, ready: &mut Vec<JobId>) {
        let Some(at) = self.entries.iter().position(|e| e.job == job) else {
            return;
        };
        let gone = self.entries.remove(at);
        for i in at..self.entries.len() {
            let (before, rest) = self.entries.split_at_mut(i);
            let Some(e) = rest.first_mut() else { break };
            let touched = e.first < gone.end && gone.first < e.end;
            if touched && !e.granted && !before.iter().any(|b| conflict(b, e)) {
                e.granted = true;
                ready.push(e.job);
            }
        }
    }

    /// True if nobody is here.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

fn conflict(a: &Entry, b: &Entry) -> bool {
    a.first < b.end && b.first < a.end && (a.exclusive || b.exclusive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_share_writers_wait_and_order_is_kept() {
        let mut q = Queue::default();
        assert!(q.enter(1, 0, 4, false));
        assert!(q.enter(2, 2, 6, false));
        assert!(!q.enter(3, 3, 5, true));
        assert!(!q.enter(4, 4, 5, false), "a reader does not overtake a waiting writer");
        assert!(q.enter(5, 8, 9, true));
        let mut ready = Vec::new();
        q.leave(1, &mut ready);
        assert!(ready.is_empty());
        q.leave(2, &mut ready);
        assert_eq!(ready, [3]);
        q.leave(3, &mut ready);
        assert_eq!(ready, [3, 4]);
    }
}
