//! Commands at random: plausible ones, so that domains come to be and die, and absurd ones.

use crate::buffers::Buffers;
use crate::refusals::least_breach;
use abi::command::{Command, op};
use fastrand::Rng;

/// Operations and how often they are drawn.
const OPERATIONS: [(u32, u32); 31] = [
    (op::NOP, 1),
    (op::HOST_INFO, 2),
    (op::READ_LOG, 2),
    (op::LIST_DOMAINS, 2),
    (op::READ_TRACE, 1),
    (op::CREATE, 3),
    (op::ADD_DEVICE, 6),
    (op::LOAD, 6),
    (op::SET_BOOT_STATE, 6),
    (op::START, 6),
    (op::PAUSE, 4),
    (op::DESTROY, 3),
    (op::POWER_BUTTON, 2),
    (op::DOMAIN_INFO, 2),
    (op::SET_LIMIT, 4),
    (op::SET_BALLOON, 3),
    (op::SET_FLAGS, 3),
    (op::LIST_SWAPPED, 3),
    (op::MOVE_REFERENCE, 3),
    (op::SET_DEVICE_CONFIG, 2),
    (op::UART_INPUT, 2),
    (op::COPY_OUT, 3),
    (op::COPY_IN, 3),
    (op::COMPLETE, 3),
    (op::COPY_PAGE, 3),
    (op::PAGE_OUT_DONE, 4),
    (op::PAGE_OUT_FAILED, 2),
    (op::PAGE_IN_DONE, 3),
    (op::PAGE_IN_FAILED, 1),
    (op::RETRY, 2),
    (u32::MAX, 1),
];

/// A command, and whether it must be refused for its buffer.
pub struct Drawn {
    /// The command.
    pub command: Command,
    /// A result from here on up says that the hypervisor used memory that is not dom0's.
    pub least_breach: Option<i64>,
}

/// Draws the next command; `domains` are those that exist.
pub fn draw(rng: &mut Rng, buffers: &Buffers, domains: &[u32]) -> Drawn {
    let op = if domains.is_empty() && rng.bool() { op::CREATE } else { operation(rng) };
    let is_wild = rng.u8(..6) == 0;
    let domain = match rng.choice(domains) {
        Some(&domain) if rng.u8(..16) != 0 => domain,
        _ => rng.u32(..) >> rng.u32(..32),
    };
    let wild_buffer = rng.u8(..5) == 0;
    let buffer = if wild_buffer { buffers.bad(rng) } else { buffers.good(rng) };
    let args = if is_wild { std::array::from_fn(|_| word(rng, buffer)) } else { sound(rng, op, buffer) };
    let command = Command { op, domain, args, result: 0 };
    Drawn { command, least_breach: if wild_buffer { least_breach(&command, buffer) } else { None } }
}

fn operation(rng: &mut Rng) -> u32 {
    let all: u32 = OPERATIONS.iter().map(|(_, weight)| weight).sum();
    let mut at = rng.u32(..all);
    for (op, weight) in OPERATIONS {
        if at < weight {
            return if op == u32::MAX { rng.u32(..) } else { op };
        }
        at -= weight;
    }
    op::NOP
}

/// Any word, but no address inside dom0's memory other than `buffer`.
fn word(rng: &mut Rng, buffer: u64) -> u64 {
    match rng.u8(..8) {
        0 => 0,
        1 => rng.u64(..16),
        2 => rng.u64(..4096),
        3 => u64::MAX,
        4 => 1 << rng.u32(40..64),
        5 => rng.u64(1 << 40..),
        _ => buffer,
    }
}

/// Arguments of the kinds that the operation wants, at the edges of their ranges.
fn sound(rng: &mut Rng, op: u32, buffer: u64) -> [u64; 5] {
    let page = edge(rng, 1024);
    let block = reference(rng);
    match op {
        op::CREATE => [edge(rng, 4), edge(rng, 2048), edge(rng, 2048), rng.u64(..8), buffer],
        op::ADD_DEVICE => [rng.u64(..9), rng.u64(..7), rng.u64(..4) | rng.u64(..300) << 16, rng.u64(..), buffer],
        op::LOAD => [page, buffer, edge(rng, 20), 0, 0],
        op::READ_LOG | op::READ_TRACE => [edge(rng, 1 << 20), buffer, edge(rng, 4096), 0, 0],
        op::LIST_DOMAINS => [buffer, edge(rng, 512), 0, 0, 0],
        op::LIST_SWAPPED => [page, buffer, edge(rng, 256), 0, 0],
        op::COPY_OUT | op::COPY_IN => [rng.u64(..8), edge(rng, 8192), buffer, edge(rng, 8192), 0],
        op::COMPLETE => [rng.u64(..8), edge(rng, 8192), rng.u64(..4), 0, 0],
        op::COPY_PAGE => [page, buffer, 0, 0, 0],
        op::MOVE_REFERENCE => [page, block, reference(rng), 0, 0],
        op::PAGE_IN_DONE => [page, block, buffer, rng.u64(..3), 0],
        op::PAGE_OUT_DONE | op::PAGE_IN_FAILED => [page, block, 0, 0, 0],
        op::UART_INPUT => [edge(rng, 40), rng.u64(..), rng.u64(..), rng.u64(..), rng.u64(..)],
        op::SET_LIMIT | op::SET_BALLOON | op::PAGE_OUT_FAILED => [page, 0, 0, 0, 0],
        op::SET_FLAGS => [rng.u64(..16), 0, 0, 0, 0],
        op::SET_DEVICE_CONFIG => [rng.u64(..9), buffer, 0, 0, 0],
        _ => [buffer, 0, 0, 0, 0],
    }
}

fn edge(rng: &mut Rng, most: u64) -> u64 {
    match rng.u8(..16) {
        0 => 0,
        1 => most,
        2 => most + 1,
        3 => u64::MAX,
        _ => rng.u64(1..most),
    }
}

fn reference(rng: &mut Rng) -> u64 {
    let kind = rng.u8(..4);
    let unit = rng.u16(..2);
    abi::BlockRef::new(kind, unit, rng.u64(..64)).map_or_else(|| rng.u64(..), |block| block.0)
}
