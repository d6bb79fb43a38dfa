//! Kernels: recognising them, checking every field that is used, and what to load where.
//!
//! Two kinds: Linux bzImage, entered by the 64-bit boot protocol ([`bzimage`]), and ELF with a PVH
//! entry note ([`pvh`]). A header is an allegation: no field is used before its check, and an error
//! names the field.

pub mod bzimage;
pub mod error;
pub mod header;
pub mod pvh;
mod recognise;

pub use bzimage::BzImage;
pub use error::KernelError;
pub use pvh::Pvh;
pub use recognise::Kernel;
