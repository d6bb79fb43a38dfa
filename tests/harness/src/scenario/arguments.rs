//! A scenario as the options of `run`, so that a user can repeat it by hand.

use super::{
    disks::Made,
    file::Scenario,
    matrix::{Variant, word},
};
use crate::options::{Kind, RunOptions};
use anyhow::Result;
use std::path::Path;

/// The options, by way of the command line that a user would write.
pub fn options(scenario: &Scenario, variant: Variant, home: &Path, disks: &[Made]) -> Result<RunOptions> {
    let words = arguments(scenario, variant, home, disks);
    RunOptions::from_words(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// That command line.
pub fn arguments(scenario: &Scenario, variant: Variant, home: &Path, disks: &[Made]) -> Vec<String> {
    let bochs = variant.machine == Kind::Bochs;
    let different = |here: Option<String>, there: Option<String>| if bochs { here.or(there) } else { there };
    let mut words = vec!["run".to_owned()];
    let mut add = |name: &str, value: Option<String>| {
        // One word, so that a value may start with a dash.
        words.extend(value.map(|value| format!("--{name}={value}")));
    };
    let said = |text: &String| (!text.is_empty()).then(|| text.clone());
    add("machine", Some(word(&variant.machine)));
    add("firmware", Some(word(&variant.firmware)));
    add("smp", Some(variant.smp.to_string()));
    // A model is one emulator's: QEMU's, where there are both.
    let is_its = !bochs || scenario.machine.all().iter().all(|machine| *machine == Kind::Bochs);
    add("cpu", different(scenario.bochs.cpu.clone(), scenario.cpu.clone().filter(|_| is_its)));
    add("bios", scenario.bios.clone());
    let text = |size: crate::size::Mebibytes| size.to_string();
    add("memory", different(scenario.bochs.memory.map(text), scenario.memory.map(text)));
    add("dom0-memory", different(scenario.bochs.dom0_memory.map(text), scenario.dom0_memory.map(text)));
    add("disk-bus", scenario.disk_bus.as_ref().map(word));
    add("share", scenario.share.as_ref().map(|share| home.join(share).display().to_string()));
    add("hypervisor-args", said(&scenario.hypervisor_args));
    add("dom0-args", said(&scenario.dom0_args));
    add("grub", said(&scenario.grub));
    add("timeout", Some(timeout(scenario, variant).to_string()));
    for disk in disks {
        add("disk", Some(disk.argument.clone()));
    }
    add("exec", Some(scenario.commands.clone()));
    let switches = [
        (scenario.bare, "--bare"),
        (scenario.icount, "--icount"),
        (scenario.reboots, "--reboots"),
        (scenario.no_dom0, "--no-dom0"),
    ];
    words.extend(switches.iter().filter(|(is_on, _)| *is_on).map(|(_, word)| (*word).to_owned()));
    words
}

/// Seconds until it is stopped.
pub fn timeout(scenario: &Scenario, variant: Variant) -> u64 {
    match variant.machine {
        Kind::Bochs => scenario.bochs.timeout.unwrap_or(scenario.timeout),
        Kind::Qemu => scenario.timeout,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::scenario::matrix::variants;

    #[test]
    fn the_model_of_each_emulator() {
        for (machine, bochs, expected) in [
            ("'qemu'", "", vec![Some("--cpu=m")]),
            ("'bochs'", "", vec![Some("--cpu=m")]),
            ("['qemu', 'bochs']", "", vec![Some("--cpu=m"), None]),
            ("['qemu', 'bochs']", "[bochs]\ncpu = 'n'", vec![Some("--cpu=m"), Some("--cpu=n")]),
        ] {
            let text = format!("about = 'x'\ntimeout = 9\nmachine = {machine}\ncpu = 'm'\n{bochs}");
            let scenario: Scenario = toml::from_str(&text).unwrap();
            let model = |variant| {
                let words = arguments(&scenario, variant, Path::new(""), &[]);
                words.into_iter().find(|word| word.starts_with("--cpu"))
            };
            let models: Vec<_> = variants(&scenario).into_iter().map(|(variant, _)| model(variant)).collect();
            assert_eq!(models.iter().map(Option::as_deref).collect::<Vec<_>>(), expected, "{machine}");
        }
    }
}
