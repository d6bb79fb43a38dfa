//! Sizes as users write them: `512M`, `2G`, and a plain number in MiB.

use std::{fmt, str::FromStr};

/// Memory in MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mebibytes(pub u64);

impl FromStr for Mebibytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is not a size; write it like 512M or 2G");
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        let unit = match text.get(digits.len()..).unwrap_or_default().to_ascii_uppercase().as_str() {
            "" | "M" | "MB" | "MIB" => 1,
            "G" | "GB" | "GIB" => 1024,
            _ => return Err(wrong()),
        };
        number.checked_mul(unit).filter(|size| *size > 0).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for Mebibytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}M", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        assert_eq!("512M".parse(), Ok(Mebibytes(512)));
        assert_eq!("2g".parse(), Ok(Mebibytes(2048)));
        assert_eq!("64".parse(), Ok(Mebibytes(64)));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "M", "0", "-1", "1.5G", "12T", "99999999999999999999G", "18014398509481984G"] {
            assert!(text.parse::<Mebibytes>().is_err(), "{text}");
        }
    }
}
