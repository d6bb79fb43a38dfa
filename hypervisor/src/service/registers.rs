//! BAR 0 of the service function: see [`abi::channel::reg`].

use super::{channel, commands, pci};
use crate::cpu::lock::{Level, Lock};
use abi::Error;
use abi::channel::{AREA_SIZE, MAGIC, reg};

struct Registers {
    channel: u64,
    detail: u64,
    gsi: u32,
    error: i32,
}

static REGISTERS: Lock<Registers> =
    Lock::new(Level::Channel, Registers { channel: 0, detail: 0, gsi: u32::MAX, error: 0 });

/// dom0 reads a register.
pub fn read(address: u64, width: u32) -> u64 {
    if width != 4 {
        return u64::MAX;
    }
    let value = match (address & 0xfff) as u32 {
        reg::MAGIC => MAGIC,
        reg::VERSION => abi::VERSION,
        reg::STATUS => channel::attached().into(),
        reg::ERROR => REGISTERS.lock().error.cast_unsigned(),
        reg::INTERRUPT => pci::asserted().into(),
        _ => u32::MAX,
    };
    value.into()
}

/// dom0 writes a register.
pub fn write(address: u64, width: u32, value: u64) {
    let value = value as u32;
    if width != 4 {
        return;
    }
    match (address & 0xfff) as u32 {
        reg::INTERRUPT => return pci::set_interrupt(false),
        reg::DETACH => return detach(),
        _ => {}
    }
    let mut registers = REGISTERS.lock();
    match (address & 0xfff) as u32 {
        reg::CHANNEL_LOW => set_half(&mut registers.channel, false, value),
        reg::CHANNEL_HIGH => set_half(&mut registers.channel, true, value),
        reg::DETAIL_LOW => set_half(&mut registers.detail, false, value),
        reg::DETAIL_HIGH => set_half(&mut registers.detail, true, value),
        reg::GSI => registers.gsi = value,
        reg::ATTACH => {
            let result = attach(&registers, value);
            registers.error = result.err().map_or(0, |error| error.code() as i32);
            if result.is_ok() {
                crate::guest::repost_all();
            }
        }
        // The lock is held while commands are worked off: one doorbell at a time.
        reg::DOORBELL => commands::work(),
        _ => {}
    }
}

fn set_half(register: &mut u64, high: bool, value: u32) {
    let shift = if high { 32 } else { 0 };
    *register = *register & !(0xffff_ffff << shift) | u64::from(value) << shift;
}

fn attach(registers: &Registers, version: u32) -> Result<(), Error> {
    if version != abi::VERSION {
        return Err(Error::Version);
    }
    if channel::attached() {
        return Err(Error::Busy);
    }
    if !pci::is_master() {
        return Err(Error::State);
    }
    for area in [registers.channel, registers.detail] {
        if area % AREA_SIZE != 0 || !crate::dom0::owns(area, AREA_SIZE) {
            return Err(Error::BadBuffer);
        }
    }
    pci::set_gsi(registers.gsi);
    channel::attach(registers.channel, registers.detail);
    crate::log::info!("service channel: attached, rings at {:#x}, interrupt {}", registers.channel, registers.gsi);
    Ok(())
}

/// The daemon is gone: its memory is touched no more.
pub fn detach() {
    if channel::detach() {
        crate::guest::hang_up_all();
        crate::log::info!("service channel: detached");
    }
}
