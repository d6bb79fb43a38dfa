//! The format of a scenario file (TOML).

use super::{disks::DiskSpec, expect::Expect, matrix::OneOrMore};
use crate::{
    options::{Bus, Firmware, Kind},
    size::Mebibytes,
};
use anyhow::{Context, Result};
use serde::{Deserialize, Deserializer, de::Error};
use std::{fs, path::Path};

/// A scenario, as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Scenario {
    /// One sentence on what is shown.
    pub about: String,
    /// Names by which it can be chosen, besides its own.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Why it is not run at present.
    pub skip: Option<String>,
    /// On each of these machines.
    #[serde(default = "qemu")]
    pub machine: OneOrMore<Kind>,
    /// With each of these firmwares.
    #[serde(default = "bios")]
    pub firmware: OneOrMore<Firmware>,
    /// With each of these numbers of CPUs.
    #[serde(default = "one")]
    pub smp: OneOrMore<u32>,
    /// CPU model of the emulator.
    pub cpu: Option<String>,
    /// The firmware's image.
    pub bios: Option<String>,
    /// Memory of the machine.
    #[serde(default, deserialize_with = "size")]
    pub memory: Option<Mebibytes>,
    /// Memory of dom0.
    #[serde(default, deserialize_with = "size")]
    pub dom0_memory: Option<Mebibytes>,
    /// Disks, made anew for each run.
    #[serde(default)]
    pub disks: Vec<DiskSpec>,
    /// How they are attached.
    pub disk_bus: Option<Bus>,
    /// A folder beside the scenario file whose files dom0 finds in /share.
    pub share: Option<String>,
    /// More words for the hypervisor.
    #[serde(default)]
    pub hypervisor_args: String,
    /// More words for dom0's kernel.
    #[serde(default)]
    pub dom0_args: String,
    /// Commands for GRUB.
    #[serde(default)]
    pub grub: String,
    /// Without the hypervisor.
    #[serde(default)]
    pub bare: bool,
    /// In instructions' time, which the host's load does not change.
    #[serde(default)]
    pub icount: bool,
    /// A reset of the machine does not end it.
    #[serde(default)]
    pub reboots: bool,
    /// The hypervisor starts without dom0: it is to refuse the machine.
    #[serde(default)]
    pub no_dom0: bool,
    /// Seconds.
    pub timeout: u64,
    /// Shell commands for dom0.
    #[serde(default)]
    pub commands: String,
    /// Exit status that the commands must have.
    #[serde(default)]
    pub status: i32,
    /// The run is over, and good, once these are seen; for machines that do not reach dom0.
    #[serde(default)]
    pub until: Until,
    /// What the commands' standard output must and must not have.
    #[serde(default)]
    pub stdout: Expect,
    /// The same for their standard error.
    #[serde(default)]
    pub stderr: Expect,
    /// The same for dom0's console.
    #[serde(default)]
    pub console: Expect,
    /// The same for the hypervisor's log.
    #[serde(default)]
    pub hypervisor: Expect,
    /// What is different on Bochs.
    #[serde(default)]
    pub bochs: Different,
}

/// Patterns that end a run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Until {
    /// In dom0's console.
    pub console: Option<String>,
    /// In the hypervisor's log.
    pub hypervisor: Option<String>,
}

impl Until {
    /// Whether anything is waited for.
    pub fn is_said(&self) -> bool {
        self.console.is_some() || self.hypervisor.is_some()
    }
}

/// Values for one machine only.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Different {
    /// Seconds.
    pub timeout: Option<u64>,
    /// Numbers of CPUs.
    pub smp: Option<OneOrMore<u32>>,
    /// CPU model.
    pub cpu: Option<String>,
    /// Memory of the machine.
    #[serde(default, deserialize_with = "size")]
    pub memory: Option<Mebibytes>,
    /// Memory of dom0.
    #[serde(default, deserialize_with = "size")]
    pub dom0_memory: Option<Mebibytes>,
}

impl Scenario {
    /// Reads a file; errors name it, the line and the key.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        toml::from_str(&text).with_context(|| path.display().to_string())
    }
}

fn size<'a, D: Deserializer<'a>>(input: D) -> Result<Option<Mebibytes>, D::Error> {
    let text = String::deserialize(input)?;
    text.parse().map(Some).map_err(D::Error::custom)
}

fn qemu() -> OneOrMore<Kind> {
    OneOrMore::One(Kind::Qemu)
}

fn bios() -> OneOrMore<Firmware> {
    OneOrMore::One(Firmware::Bios)
}

fn one() -> OneOrMore<u32> {
    OneOrMore::One(1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_smallest_scenario() {
        let scenario: Scenario = toml::from_str("about = 'x'\ntimeout = 9\nmemory = '1G'").unwrap();
        assert_eq!(scenario.memory, Some(Mebibytes(1024)));
        assert_eq!(scenario.smp.all(), [1]);
    }

    #[test]
    fn mistakes_are_errors() {
        for wrong in ["colour = 1", "memory = 'lots'", "machine = 'xen'", "[stdout]\nhas = 'x'"] {
            let text = format!("about = 'x'\ntimeout = 9\n{wrong}");
            assert!(toml::from_str::<Scenario>(&text).is_err(), "{wrong}");
        }
    }
}
