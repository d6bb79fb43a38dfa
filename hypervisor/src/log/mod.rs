//! The log: a ring in memory that dom0 can read, mirrored to the second serial port.
mod level;
mod limit;
mod ring;
mod serial;

pub use level::Level;
pub use limit::Limit;
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
/// A warning that a domain can cause as often as it likes: a few at a time, then how many were left out.
macro_rules! warning_limited {
    ($($a:tt)*) => {{
        static LIMIT: $crate::log::Limit = $crate::log::Limit::new();
        if let Some(left_out) = LIMIT.allow() {
            if left_out > 0 {
                $crate::log::warn!("{left_out} messages like the next were left out");
            }
            $crate::log::warn!($($a)*);
        }
    }};
}
#[allow(unused_imports)] // every level is there to be used, whether or not today's code does
pub(crate) use {debug, error, info, line, warning as warn, warning_limited as warn_limited};
