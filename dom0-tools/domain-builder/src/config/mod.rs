//! The domain file: one TOML file a domain (docs/domain-file.md).
//!
//! Reading has three steps, each of which goes on after a mistake, so that a user is told of all
//! at once: the text becomes a table ([`toml`]), the table a `Draft` of typed values that remember
//! where they stood, and the draft's values are compared with each other and with the files that
//! they name. Only a draft without any mistake becomes a [`Domain`].

mod check;
mod disks;
mod draft;
mod files;
mod line;
mod name;
mod report;
mod size;
mod table;

pub use check::{check, parse, text};
pub use size::parse_size;

pub use crate::domain::Domain;
