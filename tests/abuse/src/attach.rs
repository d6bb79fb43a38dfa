//! Attaches that must be refused, written to the registers one by one, and one that must not.

use crate::buffers::dom0_end;
use abi::Error;
use abi::channel::{AREA_SIZE, reg};
use abi::command::op;
use cubed::channel::bind::bind;
use cubed::channel::config_space::ConfigSpace;
use cubed::channel::hugepages::HugePages;
use cubed::channel::hypervisor::{call, command};
use cubed::channel::registers::Registers;
use cubed::channel::{Channel, Line};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The command register in configuration space, and its bit for bus mastering (PCI 3.0, section 6.2.2).
const COMMAND: u64 = 4;
const BUS_MASTER: u16 = 1 << 2;

/// What is written before and with an attach.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    version: u32,
    channel: u64,
    detail: u64,
}

/// Tries what must be refused while nobody is attached and while somebody is, then detaches.
///
/// # Errors
/// What the hypervisor did wrong, in words.
pub fn run() -> Result<String, String> {
    let function = bind().map_err(in_words)?;
    let config = ConfigSpace::open(&function.path).map_err(in_words)?;
    config.enable().map_err(in_words)?;
    let registers = Registers::map(&function.path).map_err(in_words)?;
    let pages = HugePages::open(2, 2).map_err(in_words)?;
    let areas = pages.map(0, 2).map_err(in_words)?.1;
    let &[channel, detail] = areas.as_slice() else { return Err("no areas".to_owned()) };
    let sound = Attempt { version: abi::VERSION, channel, detail };
    if registers.read(reg::STATUS) != 0 {
        return Err("a daemon is attached".to_owned());
    }

    set_bus_master(&function.path, false)?;
    let mut refused = refuse(&registers, &[sound], Error::State)?;
    set_bus_master(&function.path, true)?;
    let versions = [0, abi::VERSION + 1, u32::MAX].map(|version| Attempt { version, ..sound });
    refused += refuse(&registers, &versions, Error::Version)?;
    for area in wrong_areas(sound.channel, dom0_end()?) {
        let either = [Attempt { channel: area, ..sound }, Attempt { detail: area, ..sound }];
        refused += refuse(&registers, &either, Error::BadBuffer)?;
    }

    let mut first = Channel::attach(AREA_SIZE as usize).map_err(|error| format!("not attached: {error}"))?;
    refused += refuse(&registers, &[sound], Error::Busy)?;
    refused += refuse(&registers, &versions, Error::Version)?;
    call(&mut first, command::<0>(op::NOP, 0, []))
        .map_err(|error| format!("a second attach broke the first: {error}"))?;
    first.detach();
    if registers.read(reg::STATUS) != 0 {
        return Err("a detached daemon is still attached".to_owned());
    }
    Ok(serde_json::json!({ "abuse": "attach", "refused": refused }).to_string())
}

/// Addresses that no area may have: `good` would be one, and `end` is the end of dom0's memory.
fn wrong_areas(good: u64, end: u64) -> [u64; 11] {
    let above = end.next_multiple_of(AREA_SIZE);
    [
        // Not aligned.
        good + 1,
        good + abi::PAGE_SIZE,
        good + AREA_SIZE / 2,
        // The first area has a hole, the second is the hypervisor's image.
        0,
        AREA_SIZE,
        // Guests' memory or none, then devices.
        above,
        above + AREA_SIZE,
        0xfec0_0000,
        0xfee0_0000,
        // Nothing at all, up to where the area's end is no number any more.
        1 << 52,
        u64::MAX - (AREA_SIZE - 1),
    ]
}

/// How much was refused.
fn refuse(registers: &Registers, attempts: &[Attempt], with: Error) -> Result<u32, String> {
    let attached = registers.read(reg::STATUS);
    for attempt in attempts {
        registers.write_pair(reg::CHANNEL_LOW, reg::CHANNEL_HIGH, attempt.channel);
        registers.write_pair(reg::DETAIL_LOW, reg::DETAIL_HIGH, attempt.detail);
        registers.write(reg::ATTACH, attempt.version);
        let (answer, now) = (registers.attach_result(), registers.read(reg::STATUS));
        if answer != Err(with) || now != attached {
            return Err(format!("{attempt:x?} was answered with {answer:?} in place of {with:?}, status {now}"));
        }
    }
    Ok(attempts.len().try_into().unwrap_or(u32::MAX))
}

/// cubed never turns bus mastering off: the kernel does, when the function is closed.
fn set_bus_master(function: &Path, on: bool) -> Result<(), String> {
    let file = File::options().read(true).write(true).open(function.join("config")).map_err(in_words)?;
    let mut bytes = [0; 2];
    file.read_exact_at(&mut bytes, COMMAND).map_err(in_words)?;
    let others = u16::from_le_bytes(bytes) & !BUS_MASTER;
    let command = if on { others | BUS_MASTER } else { others };
    file.write_all_at(&command.to_le_bytes(), COMMAND).map_err(in_words)
}

fn in_words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_areas_are_wrong_each_in_its_way() {
        let (good, end) = (0x1e00_0000, 0x1fff_f000);
        let areas = wrong_areas(good, end);
        for (i, area) in areas.iter().enumerate() {
            assert!(!area.is_multiple_of(AREA_SIZE) || *area == 0 || *area == AREA_SIZE || *area >= end, "{area:#x}");
            assert!(!areas[..i].contains(area), "{area:#x} twice");
        }
    }
}
