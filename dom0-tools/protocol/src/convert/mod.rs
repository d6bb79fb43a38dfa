//! From the hypervisor's layouts (`abi`) to the conversation's types: pages become bytes, codes
//! become names, zero-padded arrays become text. Total: every value of the other side has an image.

mod domain;
mod failure;
mod host;
mod reason;
mod stats;
mod units;

pub use units::text;
