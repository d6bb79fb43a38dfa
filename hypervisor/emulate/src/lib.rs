//! Instruction decoding and emulation for exits.
//!
//! What it is for: an access to an emulated device, a string port access and an exit without a
//! next-RIP all need the guest's instruction understood. [`mmio`] and [`ports`] turn an instruction
//! into a [`Plan`]: at most one value to load, a computation, at most one value to store.
//! [`length`] tells how far to skip.
//!
//! May depend on: `core` and a decoder. It touches no memory and no device; the caller does, as the
//! plan asks.
//!
//! Invariant: instruction bytes, registers and addresses come from a guest; no input panics, and what
//! is not understood is refused with a reason ([`Refusal`]), never approximated.
//!
//! Vector and x87 accesses are refused ([`Refusal::NotEmulated`]), 16-byte SSE moves included: device
//! registers are at most 8 bytes wide.
#![no_std]
#![forbid(unsafe_code)]

pub mod alu;
pub mod bits;
pub mod decode;
pub mod flags;
pub mod length;
pub mod mmio;
pub mod plan;
pub mod ports;
pub mod refusal;
pub mod registers;

pub use plan::{Access, Place, Plan};
pub use refusal::Refusal;
pub use registers::{Mode, Registers, Segment};
