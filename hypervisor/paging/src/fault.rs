//! Whose fault an error is, and with that what becomes of it.

/// Who is to blame.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fault {
    /// Whoever asked (dom0, mostly): the request is refused.
    Caller,
    /// The guest: its request is refused or the domain ends.
    Domain,
    /// The machine, or its memory running out: the operation is given up or tried later.
    Hardware,
    /// The hypervisor: an invariant does not hold. It is logged, and the domain concerned ends.
    Ours,
}
