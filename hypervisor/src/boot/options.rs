//! The hypervisor's command line. Documented in docs/command-line.md; keep both in step.

use crate::log::{self, Level};
use heapless::String;

/// Parsed options with their defaults.
#[derive(Clone, Debug)]
pub struct Options {
    /// `dom0_mem=SIZE`: dom0's memory in bytes; default: half of the RAM, at most 1 GiB.
    pub dom0_memory: Option<u64>,
    /// `dom0_max_vcpus=N`: default one for each CPU.
    pub dom0_vcpus: Option<u32>,
    /// `maxcpus=N`: physical CPUs to use.
    pub max_cpus: u32,
    /// `boot_cpu=idle`: the boot CPU starts the others and then sleeps.
    pub boot_cpu_idles: bool,
    /// `loglevel=LEVEL`: least important messages that are kept.
    pub log_level: Level,
    /// `reboot=panic`: reset the machine at a panic instead of halting.
    pub reboot_on_panic: bool,
    /// `large_pages=off`: guests' memory is mapped in pages of 4 KiB only.
    pub large_pages: bool,
    /// `slice=MILLISECONDS`: the scheduler's time slice.
    pub slice_ms: u32,
}

impl Options {
    /// Parses `line`. What is not understood is reported in the log, never ignored in silence.
    pub fn parse(line: &str) -> Self {
        let mut this = Self {
            dom0_memory: None,
            dom0_vcpus: None,
            max_cpus: crate::cpu::MAX_CPUS,
            boot_cpu_idles: false,
            log_level: Level::Info,
            reboot_on_panic: false,
            large_pages: true,
            slice_ms: 5,
        };
        for word in line.split_ascii_whitespace() {
            let (key, value) = word.split_once('=').unwrap_or((word, ""));
            let understood = match key {
                "dom0_mem" => size(value).map(|bytes| this.dom0_memory = Some(bytes)),
                "dom0_max_vcpus" => number(value, 1, 64).map(|n| this.dom0_vcpus = Some(n)),
                "maxcpus" => number(value, 1, crate::cpu::MAX_CPUS).map(|n| this.max_cpus = n),
                "loglevel" => Level::parse(value).map(|level| this.log_level = level),
                "slice" => number(value, 1, 100).map(|n| this.slice_ms = n),
                "large_pages" => choice(value, ["off", "on"]).map(|on| this.large_pages = on),
                "boot_cpu" => choice(value, ["off", "idle"]).map(|idle| this.boot_cpu_idles = idle),
                "reboot" => choice(value, ["off", "panic"]).map(|panic| this.reboot_on_panic = panic),
                _ => None,
            };
            if understood.is_none() {
                let mut shown = String::<64>::new();
                let _ = word.chars().take(60).try_for_each(|c| shown.push(c));
                log::warn!(
                    "command line: \"{shown}\" is not an option of this version, or its value is bad; it has no effect"
                );
            }
        }
        this
    }
}

/// A size with the suffix K, M or G; plain numbers are bytes.
fn size(text: &str) -> Option<u64> {
    let (digits, shift) = match text.as_bytes().last()? {
        b'K' | b'k' => (&text[..text.len() - 1], 10),
        b'M' | b'm' => (&text[..text.len() - 1], 20),
        b'G' | b'g' => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift).filter(|&bytes| bytes > 0)
}

/// Which of two words it is: false for the first.
fn choice(text: &str, words: [&str; 2]) -> Option<bool> {
    words.iter().position(|word| *word == text).map(|at| at == 1)
}

/// A decimal number between two bounds.
fn number(text: &str, least: u32, most: u32) -> Option<u32> {
    text.parse().ok().filter(|n| (least..=most).contains(n))
}
