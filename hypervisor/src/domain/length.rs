//! Instructions that the processor does not describe: their bytes are read and decoded.
//!
//! Processors without next-RIP saving are old, or emulators; there this is the larger part of a short
//! exit. So the last one's length is remembered, as code is in a processor's caches: until an interrupt
//! is taken, the vCPU leaves its CPU, or another instruction exits.

use super::view::View;
use super::{Context, Domain};
use emulate::Mode;
use emulate::length::{self, ControlMove};

/// The last exit's instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Last {
    rip: u64,
    cr3: u64,
    plain: u8,
    length: u8,
}

/// Bytes of the instruction that exited, for processors that do not save the next RIP; `plain`, its
/// length without prefixes, if it is not there any more.
pub fn of(domain: &Domain, context: &mut Context, plain: u8) -> u8 {
    let (rip, cr3) = (context.registers.rip, context.backend.mode().cr3);
    if let Some(last) = context.last.filter(|last| (last.rip, last.cr3, last.plain) == (rip, cr3, plain)) {
        return last.length;
    }
    find(domain, context, plain, rip, cr3)
}

#[inline(never)]
fn find(domain: &Domain, context: &mut Context, plain: u8, rip: u64, cr3: u64) -> u8 {
    let length = with_bytes(domain, context, |bytes, mode| {
        length::plain(bytes)
            .or_else(|| length::identify(bytes, mode).ok().and_then(|(_, length)| length.try_into().ok()))
    });
    context.last = length.map(|length| Last { rip, cr3, plain, length });
    length.unwrap_or(plain)
}

/// The move to or from a control register that exited; `None` if it is not there any more.
pub fn control_move(domain: &Domain, context: &Context) -> Option<ControlMove> {
    with_bytes(domain, context, |bytes, mode| length::control_move(bytes, mode).ok())
}

fn with_bytes<T>(domain: &Domain, context: &Context, decode: impl FnOnce(&[u8], Mode) -> Option<T>) -> Option<T> {
    let view = View::new(context).ok()?;
    let mut bytes = [0; 15];
    let len = view.fetch(domain, &mut bytes).ok()?;
    decode(bytes.get(..len)?, view.width)
}
