//! Sizes of memory as people write them.

/// The bytes of `256M`, `1G`, `512 KiB`: a whole number and a unit, K, M, G or T (with or without
/// `iB`), powers of 1024.
///
/// # Errors
/// A sentence about what is wrong.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(format!("`{text}` does not begin with a whole number"));
    }
    let shift = match unit.trim() {
        "" => return Err(format!("`{text}` has no unit")),
        "K" | "KiB" => 10,
        "M" | "MiB" => 20,
        "G" | "GiB" => 30,
        "T" | "TiB" => 40,
        other => return Err(format!("`{other}` is not a unit")),
    };
    number.parse::<u64>().ok().and_then(|n| n.checked_mul(1 << shift)).ok_or_else(|| format!("`{text}` is too large"))
}

#[cfg(test)]
mod tests {
    use super::parse_size;
    use proptest::prelude::*;

    #[test]
    fn examples() {
        assert_eq!(parse_size("256M"), Ok(256 << 20));
        assert_eq!(parse_size(" 4 GiB "), Ok(4 << 30));
        assert_eq!(parse_size("64K"), Ok(64 << 10));
        for bad in ["", "M", "12", "1.5G", "-1M", "12m", "12MB", "99999999999999999999G", "18446744073709551615K"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in ".*") { let _ = parse_size(&text); }

        #[test]
        fn units_multiply(n in 0u64..1 << 20) {
            prop_assert_eq!(parse_size(&format!("{n}G")).ok(), parse_size(&format!("{}M", n * 1024)).ok());
        }
    }
}
