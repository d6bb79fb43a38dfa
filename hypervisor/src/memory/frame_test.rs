//! Tried when the hypervisor starts, on real frames: what must not be freed is not, and what is freed comes
//! back as another.

use super::{frames, records};
use pages::frame::Why;
use pages::{FrameKind, Owner};

/// The first thing that is wrong: this build must not run.
pub fn run() -> Result<(), &'static str> {
    let (Some(one), Some(other)) = (Owner::domain(1), Owner::domain(2)) else { return Err("owners do not fit") };
    let (free, _) = frames::counts();
    let frame = frames::allocate(one).ok_or("no memory to test frames with")?;
    let record = records::table().record(frame).map_err(|_| "a frame has no record")?;
    if (record.kind, record.owner, record.references) != (FrameKind::Domain, one, 1) {
        return Err("a frame's record does not say whose it is");
    }
    let refused = |owner| frames::give_back(frame, owner).err().map(|error| error.why);
    for stranger in [other, Owner::DOM0, Owner::NOBODY] {
        if refused(stranger) != Some(Why::NotOwner) {
            return Err("a frame can be freed by another than its owner");
        }
    }
    if frames::counts().0 != free - 1 {
        return Err("a frame that was refused is free");
    }
    if refused(one).is_some() || frames::counts().0 != free {
        return Err("a frame cannot be freed by its owner");
    }
    if refused(one).is_none() || frames::counts().0 != free {
        return Err("a frame can be freed twice");
    }
    let again = records::table().record(frame).map_err(|_| "a frame has no record")?;
    if again.generation != record.generation.wrapping_add(1) {
        return Err("a frame that was freed has no new generation");
    }
    Ok(())
}
