//! Memory whose every page can be checked: its content follows from its number and the round in
//! which it was last written.

const PAGE: usize = 4096;
const WORD: usize = 8;
const PAGES_PER_MEBIBYTE: usize = (1 << 20) / PAGE;

/// The memory and, for each page, when it was last written.
pub struct Memory {
    words: Vec<u64>,
    written: Vec<u32>,
}

impl Memory {
    /// Untouched memory.
    pub fn new(mebibytes: usize) -> Self {
        let pages = mebibytes * PAGES_PER_MEBIBYTE;
        Self { words: vec![0; pages * PAGE / WORD], written: vec![0; pages] }
    }

    /// How many pages there are.
    pub fn pages(&self) -> usize {
        self.written.len()
    }

    /// Whether `round` writes this page: `percent` of the pages, others each round.
    pub fn is_written(&self, page: usize, round: u32, percent: u64) -> bool {
        mix((page as u64) << 32 | u64::from(round)) % 100 < percent
    }

    /// Writes the whole page.
    pub fn write(&mut self, page: usize, round: u32) {
        let (start, end) = bounds(page);
        for (number, word) in self.words.iter_mut().take(end).skip(start).enumerate() {
            *word = content(page, number, round);
        }
        if let Some(written) = self.written.get_mut(page) {
            *written = round;
        }
    }

    /// Verifies the whole page and then writes it, if it is to be written.
    pub fn visit(&mut self, page: usize, round: u32, is_written: bool) -> Result<(), String> {
        let written = self.written.get(page).copied().unwrap_or_default();
        let (start, end) = bounds(page);
        for (number, word) in self.words.get(start..end).unwrap_or_default().iter().enumerate() {
            if *word != content(page, number, written) {
                return Err(format!("word {number} of page {page} is {word:#x}, written in round {written}"));
            }
        }
        if is_written {
            self.write(page, round);
        }
        Ok(())
    }
}

fn bounds(page: usize) -> (usize, usize) {
    (page * PAGE / WORD, (page + 1) * PAGE / WORD)
}

fn content(page: usize, word: usize, round: u32) -> u64 {
    mix((page as u64) << 32 ^ (word as u64) << 20 ^ u64::from(round)) | 1
}

/// SplitMix64's finaliser: neighbours get unrelated values, so that no page is like another.
fn mix(value: u64) -> u64 {
    let z = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_changed_word_is_found() {
        let mut memory = Memory::new(1);
        for page in 0..memory.pages() {
            memory.write(page, 0);
        }
        memory.visit(7, 1, true).unwrap();
        memory.visit(7, 2, false).unwrap();
        memory.words[7 * PAGE / WORD + 3] ^= 1 << 40;
        assert!(memory.visit(7, 3, false).unwrap_err().starts_with("word 3 of page 7"));
    }

    #[test]
    fn about_the_asked_percentage_is_written() {
        let memory = Memory::new(16);
        let count = (0..memory.pages()).filter(|&page| memory.is_written(page, 3, 25)).count();
        assert!((memory.pages() / 5..memory.pages() / 3).contains(&count), "{count}");
    }
}
