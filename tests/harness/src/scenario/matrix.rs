//! One scenario for several machines: a key may have a list, and then each value is a case.

use super::file::Scenario;
use crate::options::{Firmware, Kind};
use clap::ValueEnum;
use serde::Deserialize;

/// A value or a list of values.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMore<T> {
    /// `key = 1`
    One(T),
    /// `key = [1, 2]`
    More(Vec<T>),
}

impl<T: Copy> OneOrMore<T> {
    /// The values.
    pub fn all(&self) -> Vec<T> {
        match self {
            Self::One(value) => vec![*value],
            Self::More(values) => values.clone(),
        }
    }

    fn is_list(&self) -> bool {
        matches!(self, Self::More(_))
    }
}

/// One combination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variant {
    /// The machine.
    pub machine: Kind,
    /// Its firmware.
    pub firmware: Firmware,
    /// Its CPUs.
    pub smp: u32,
}

/// Every combination with what its name has after the scenario's: `@qemu-uefi-2cpu`. Combinations
/// that no machine offers (UEFI on Bochs) are left out.
pub fn variants(scenario: &Scenario) -> Vec<(Variant, String)> {
    let mut all = Vec::new();
    for machine in scenario.machine.all() {
        let smp = scenario.bochs.smp.as_ref().filter(|_| machine == Kind::Bochs).unwrap_or(&scenario.smp);
        for firmware in scenario.firmware.all() {
            for smp in smp.all() {
                let variant = Variant { machine, firmware, smp };
                if (machine, firmware) != (Kind::Bochs, Firmware::Uefi) {
                    all.push((variant, suffix(scenario, variant)));
                }
            }
        }
    }
    all
}

fn suffix(scenario: &Scenario, variant: Variant) -> String {
    let mut words = Vec::new();
    if scenario.machine.is_list() {
        words.push(word(&variant.machine));
    }
    if scenario.firmware.is_list() {
        words.push(word(&variant.firmware));
    }
    if scenario.smp.is_list() || scenario.bochs.smp.as_ref().is_some_and(OneOrMore::is_list) {
        words.push(format!("{}cpu", variant.smp));
    }
    if words.is_empty() { String::new() } else { format!("@{}", words.join("-")) }
}

/// A value as it is written on the command line.
pub fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lists_multiply_and_name_their_cases() {
        let text = "about = 'x'\ntimeout = 9\nmachine = ['qemu', 'bochs']\nfirmware = ['bios', 'uefi']\nsmp = 2";
        let scenario = toml::from_str(text).unwrap();
        let names: Vec<_> = variants(&scenario).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["@qemu-bios", "@qemu-uefi", "@bochs-bios"]);
    }

    #[test]
    fn bochs_may_have_other_numbers_of_cpus() {
        let text = "about = 'x'\ntimeout = 9\nmachine = ['qemu', 'bochs']\nsmp = [1, 2]\n[bochs]\nsmp = 2";
        let scenario = toml::from_str(text).unwrap();
        let names: Vec<_> = variants(&scenario).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["@qemu-1cpu", "@qemu-2cpu", "@bochs-2cpu"]);
    }
}
