//! What dom0 asks for: see [`abi::command::op`].

use super::channel;
use crate::domain::{Domain, End, Reason};
use crate::guest;
use crate::memory::direct;
use abi::BlockRef;
use abi::Error;
use abi::command::{Command, op};
use abi::domain::{BootState, DeviceConfig, DomainFlags};
use alloc::sync::Arc;
use core::sync::atomic::Ordering;
use zerocopy::{FromBytes, FromZeros, IntoBytes};

/// Work of one doorbell, in commands; dom0 rings again for the rest.
const BATCH: u64 = 256;
/// Pages whose copying is as much work as a command.
const PAGES: u64 = 4;

/// Works off commands until there are none or the batch is full.
pub fn work() {
    let mut done = 0;
    while done < BATCH {
        let Some((mut entry, address)) = channel::next_command() else { break };
        done += if entry.command.op == op::LOAD { 1 + entry.command.args[2].min(512) / PAGES } else { 1 };
        entry.command.result = match execute(&mut entry.command) {
            Ok(value) => value,
            Err(error) => error.code(),
        };
        channel::finish_command(address, &entry);
    }
    crate::guest::pump_all();
}

fn execute(command: &mut Command) -> Result<i64, Error> {
    let args = command.args;
    match command.op {
        op::NOP => Ok(0),
        op::HOST_INFO => give(args[0], super::host::info().as_bytes()),
        op::READ_LOG => {
            let (first, count) = read_log(args[0], args[1], args[2])?;
            command.args[3] = first;
            Ok(count)
        }
        op::LIST_DOMAINS => list_domains(args[0], args[1]),
        op::CREATE => {
            let name = take::<[u8; 64]>(args[4])?;
            guest::create(args[0], args[1], args[2], args[3], name).map(i64::from)
        }
        op::LIST_SWAPPED => {
            let domain =
                guest::find(command.domain).filter(|domain| !guest::is_dying(domain)).ok_or(Error::NotFound)?;
            let guest = domain.guest().ok_or(Error::NotFound)?;
            let (count, next) = guest.memory.lock().list_swapped(args[0], args[1], args[2])?;
            command.args[3] = next;
            Ok(count)
        }
        // Reserved in the ABI, and told so whatever domain is named.
        op::READ_TRACE | op::SET_DEVICE_CONFIG => Err(Error::Unknown),
        _ => on_domain(command.op, &guest::find(command.domain).ok_or(Error::NotFound)?, args),
    }
}

fn on_domain(operation: u32, domain: &Arc<Domain>, args: [u64; 5]) -> Result<i64, Error> {
    // Teardown goes over the memory once: nothing may be put behind it.
    if guest::is_dying(domain) && !matches!(operation, op::DESTROY | op::DOMAIN_INFO) {
        return Err(Error::NotFound);
    }
    match operation {
        op::ADD_DEVICE => {
            let config = take::<DeviceConfig>(args[4])?;
            guest::add_device(domain, args[0], args[1], args[2], args[3], &config)?;
        }
        op::LOAD => return guest::load(domain, args[0], args[1], args[2]),
        op::SET_BOOT_STATE => guest::set_boot_state(domain, take::<BootState>(args[0])?)?,
        op::START => guest::start(domain)?,
        op::PAUSE => guest::pause(domain)?,
        op::DESTROY => guest::destroy(domain)?,
        op::POWER_BUTTON => guest::press_power_button(domain)?,
        op::DOMAIN_INFO => return give(args[0], guest::info(domain).ok_or(Error::NotFound)?.as_bytes()),
        op::COPY_OUT => return guest::copy(domain, operation, args),
        op::COPY_IN | op::COMPLETE => return on_request(operation, domain, args),
        _ => return on_pages(operation, domain, args),
    }
    Ok(0)
}

/// What may have put content into fresh pages.
fn on_request(operation: u32, domain: &Arc<Domain>, args: [u64; 5]) -> Result<i64, Error> {
    let result = if operation == op::COPY_IN {
        guest::copy(domain, operation, args)
    } else {
        guest::complete(domain, args[0], args[1], args[2]).map(|()| 0)
    };
    if let Some(guest) = domain.guest() {
        guest::reclaim(domain, guest);
    }
    result
}

fn on_pages(operation: u32, domain: &Arc<Domain>, args: [u64; 5]) -> Result<i64, Error> {
    let guest = domain.guest().ok_or(Error::NotFound)?;
    let block = |word: u64| BlockRef::check(word).ok_or(Error::Invalid);
    let result = match operation {
        op::SET_LIMIT => {
            let mut memory = guest.memory.lock();
            if args[0] == 0 || args[0] > memory.pages {
                return Err(Error::Invalid);
            }
            memory.limit = args[0];
            memory.retry();
            0
        }
        op::RETRY => {
            guest.memory.lock().retry();
            0
        }
        op::SET_FLAGS => {
            DomainFlags::from_bits(args[0]).ok_or(Error::Invalid)?;
            guest.flags.store(args[0], Ordering::Relaxed);
            0
        }
        op::SET_BALLOON => {
            let told = guest::set_target(&mut guest.devices.lock(), args[0])?;
            if let Some(slot) = told {
                guest::interrupt(domain, guest, abi::platform::VIRTIO_GSI + slot as u32);
            }
            0
        }
        op::UART_INPUT => guest::uart_input(domain, guest, args).cast_signed(),
        op::MOVE_REFERENCE => {
            return guest.memory.lock().move_reference(args[0], block(args[1])?, block(args[2])?).map(|()| 0);
        }
        op::COPY_PAGE => return guest.memory.lock().copy_page(args[0], args[1]),
        op::PAGE_OUT_DONE => guest.memory.lock().page_out_done(args[0], block(args[1])?).map(|()| 0)?,
        op::PAGE_OUT_FAILED => guest.memory.lock().page_out_failed(args[0]).map(|()| 0)?,
        op::PAGE_IN_DONE => {
            let mut memory = guest.memory.lock();
            let came = memory.page_in_done(args[0], block(args[1])?, args[2], args[3]);
            memory.merge_ripe(domain);
            drop(memory);
            if came == Err(Error::NoMemory) {
                guest::reclaim(domain, guest);
            }
            let came = came?;
            guest::page_came(domain, paging::Gfn(args[0]));
            came
        }
        op::PAGE_IN_FAILED => {
            domain.end(End { reason: Reason::StoreError, detail: args[0] });
            0
        }
        _ => return Err(Error::Unknown),
    };
    guest::reclaim(domain, guest);
    guest::room_came(domain);
    Ok(result)
}

fn list_domains(address: u64, len: u64) -> Result<i64, Error> {
    let ids = guest::identifiers();
    let bytes = ids.as_bytes();
    give(address, &bytes[..bytes.len().min(len as usize & !3)])?;
    Ok((ids.len() as u64).cast_signed())
}

/// Copies an argument out of a buffer.
fn take<T: FromBytes + IntoBytes + FromZeros>(address: u64) -> Result<T, Error> {
    let mut value = T::new_zeroed();
    direct::read_bytes(buffer(address, size_of::<T>() as u64)?, value.as_mut_bytes());
    Ok(value)
}

/// Checks that a buffer of dom0 may be used.
fn buffer(address: u64, len: u64) -> Result<u64, Error> {
    if crate::dom0::owns(address, len) { Ok(address) } else { Err(Error::BadBuffer) }
}

/// Copies an answer into a buffer; the result is its length.
fn give(address: u64, bytes: &[u8]) -> Result<i64, Error> {
    let len = bytes.len() as u64;
    direct::write_bytes(buffer(address, len)?, bytes);
    Ok(len.cast_signed())
}

/// Copies log text piece by piece: the number of the first byte, and how many.
fn read_log(cursor: u64, address: u64, len: u64) -> Result<(u64, i64), Error> {
    let len = len.min(1 << 20);
    let address = buffer(address, len)?;
    let mut piece = [0; 1024];
    let (first, _) = crate::log::read(cursor, &mut []);
    let mut done = 0;
    while done < len {
        let want = (len - done).min(piece.len() as u64) as usize;
        let (at, count) = crate::log::read(first + done, &mut piece[..want]);
        // Overwritten while copying: what was copied so far is whole.
        if count == 0 || at != first + done {
            break;
        }
        direct::write_bytes(address + done, &piece[..count]);
        done += count as u64;
    }
    Ok((first, done.cast_signed()))
}
