//! The command line: `workload MIB SECONDS [DIRTY]`.

/// How to call it.
pub const USAGE: &str = "usage: workload MIB SECONDS [PERCENT-OF-PAGES-WRITTEN-A-ROUND]";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub struct Arguments {
    /// Memory to cycle through.
    pub mebibytes: usize,
    /// How long, after it was filled.
    pub seconds: u64,
    /// Percent of the pages that each round writes.
    pub dirty: u64,
}

impl Arguments {
    /// Reads the words after the program's name.
    pub fn parse(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let numbers: Vec<u64> =
            words.map(|word| word.parse().map_err(|_| format!("'{word}' is no number"))).collect::<Result<_, _>>()?;
        let (mebibytes, seconds, dirty) = match numbers.as_slice() {
            [mebibytes, seconds] => (*mebibytes, *seconds, 50),
            [mebibytes, seconds, dirty @ 0..=100] => (*mebibytes, *seconds, *dirty),
            _ => return Err("wrong number of words, or more than 100 percent".to_owned()),
        };
        let mebibytes = usize::try_from(mebibytes).map_err(|error| error.to_string())?;
        Ok(Self { mebibytes, seconds, dirty })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn two_or_three_numbers() {
        assert_eq!(parse("64 10"), Ok(Arguments { mebibytes: 64, seconds: 10, dirty: 50 }));
        assert_eq!(parse("64 10 0"), Ok(Arguments { mebibytes: 64, seconds: 10, dirty: 0 }));
        for wrong in ["", "64", "64 10 101", "x 10", "1 2 3 4"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
