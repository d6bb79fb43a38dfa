//! Instructions that the processor does not describe: their bytes are read and decoded.

use super::view::View;
use super::{Context, Domain};
use emulate::Mode;
use emulate::length::{self, ControlMove};

/// Bytes of the instruction that exited, for processors that do not save the next RIP; `plain`, its
/// length without prefixes, if it is not there any more.
pub fn of(domain: &Domain, context: &Context, plain: u8) -> u8 {
    with_bytes(domain, context, |bytes, mode| length::identify(bytes, mode).ok())
        .and_then(|(_, length)| u8::try_from(length).ok())
        .unwrap_or(plain)
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
