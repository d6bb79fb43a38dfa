//! The log: a ring in memory that dom0 can read, mirrored to the second serial port.
mod level;
mod ring;
mod serial;

pub use level::Level;
pub use ring::{read, set_level, write};
pub use serial::emergency;

/// Writes a line at the given level.
macro_rules! line {
    ($level:expr, $($argument:tt)*) => { $crate::log::write($level, core::format_args!($($argument)*)) };
}
macro_rules! error { ($($a:tt)*) => { $crate::log::line!($crate::log::Level::Error, $($a)*) }; }
macro_rules! warning { ($($a:tt)*) => { $crate::log::line!($crate::log::Level::Warning, $($a)*) }; }
macro_rules! info { ($($a:tt)*) => { $crate::log::line!($crate::log::Level::Info, $($a)*) }; }
macro_rules! debug { ($($a:tt)*) => { $crate::log::line!($crate::log::Level::Debug, $($a)*) }; }
#[allow(unused_imports)] // every level is there to be used, whether or not today's code does
pub(crate) use {debug, error, info, line, warning as warn};
