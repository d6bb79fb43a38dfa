//! What one disk block referred to since its last durable state.

/// Target of a block: a slot, or `None` for its home on the disk.
pub(crate) type Target = Option<u64>;

/// The states of a block that may still be needed, oldest first. The first is the durable one,
/// which a loss of power brings back; the last is the current one. A block without a history is
/// at home, durably.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum History {
    /// One state: durable and current.
    Settled(u64),
    /// (position in the disk's history, target); at least two entries.
    Open(Vec<(u64, Target)>),
}

impl History {
    pub(crate) fn current(&self) -> Target {
        match self {
            Self::Settled(slot) => Some(*slot),
            Self::Open(states) => states.last().and_then(|s| s.1),
        }
    }

    pub(crate) fn durable(&self) -> Target {
        match self {
            Self::Settled(slot) => Some(*slot),
            Self::Open(states) => states.first().and_then(|s| s.1),
        }
    }

    /// All slots that the history holds on to, with repetitions.
    pub(crate) fn slots(&self) -> impl Iterator<Item = u64> + '_ {
        let (one, many) = match self {
            Self::Settled(slot) => (Some(*slot), &[][..]),
            Self::Open(states) => (None, states.as_slice()),
        };
        one.into_iter().chain(many.iter().filter_map(|s| s.1))
    }

    /// States after the durable one.
    pub(crate) fn tentative(&self) -> &[(u64, Target)] {
        match self {
            Self::Settled(_) => &[],
            Self::Open(states) => states.get(1..).unwrap_or(&[]),
        }
    }
}

/// The history that follows from `old` when the block turns to `target` at `position`. States
/// that no mark can bring back (younger than `mark`, and not the durable one) are forgotten;
/// their slots are appended to `released`. `None`: at home, durably.
pub(crate) fn set(
    old: Option<History>,
    position: u64,
    target: Target,
    mark: Option<u64>,
    released: &mut Vec<u64>,
) -> Option<History> {
    let mut states = match old {
        None => vec![(0, None)],
        Some(History::Settled(slot)) => vec![(0, Some(slot))],
        Some(History::Open(states)) => states,
    };
    let young = |at: u64| mark.is_none_or(|m| at > m);
    if states.len() > 1
        && states.last().is_some_and(|s| young(s.0))
        && let Some((_, gone)) = states.pop()
    {
        released.extend(gone);
    }
    if states.last().is_some_and(|s| s.1 == target) {
        released.extend(target);
    } else {
        states.push((position, target));
    }
    normal(states)
}

/// The history when everything up to `position` has become durable.
pub(crate) fn commit(old: History, position: u64, released: &mut Vec<u64>) -> Option<History> {
    let History::Open(mut states) = old else {
        return Some(old);
    };
    let first = states.iter().rposition(|s| s.0 <= position).unwrap_or(0);
    released.extend(states.drain(..first).filter_map(|s| s.1));
    normal(states)
}

/// The history after a loss of power.
pub(crate) fn roll_back(old: &History) -> Option<History> {
    old.durable().map(History::Settled)
}

fn normal(states: Vec<(u64, Target)>) -> Option<History> {
    match states.as_slice() {
        [] | [(_, None)] => None,
        [(_, Some(slot))] => Some(History::Settled(*slot)),
        _ => Some(History::Open(states)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_durable_slot_is_held_until_the_commit() {
        let mut gone = Vec::new();
        let h = set(Some(History::Settled(4)), 1, None, None, &mut gone).unwrap();
        assert_eq!((h.current(), h.durable()), (None, Some(4)));
        assert!(gone.is_empty());
        assert_eq!(roll_back(&h), Some(History::Settled(4)));
        assert_eq!(commit(h, 1, &mut gone), None);
        assert_eq!(gone, [4]);
    }

    #[test]
    fn a_state_that_no_mark_names_is_forgotten_at_once() {
        let mut gone = Vec::new();
        let h = set(None, 1, Some(5), None, &mut gone);
        let h = set(h, 2, Some(6), None, &mut gone).unwrap();
        assert_eq!(gone, [5]);
        assert_eq!(h.slots().collect::<Vec<_>>(), [6]);
    }

    #[test]
    fn a_marked_state_survives_until_its_commit() {
        let mut gone = Vec::new();
        let h = set(None, 1, Some(5), None, &mut gone);
        let h = set(h, 2, Some(6), Some(1), &mut gone).unwrap();
        assert!(gone.is_empty());
        assert_eq!(h.slots().collect::<Vec<_>>(), [5, 6]);
        let h = commit(h, 1, &mut gone).unwrap();
        assert_eq!((h.durable(), h.current()), (Some(5), Some(6)));
        let h = commit(h, 2, &mut gone);
        assert_eq!(gone, [5]);
        assert_eq!(h, Some(History::Settled(6)));
    }

    #[test]
    fn setting_what_is_already_there_lets_the_new_hold_go() {
        let mut gone = Vec::new();
        let h = set(Some(History::Settled(4)), 1, Some(4), None, &mut gone);
        assert_eq!((h, gone), (Some(History::Settled(4)), vec![4]));
    }
}
