//! The rings: commands from dom0, events to it.

use super::pci;
use crate::cpu::lock::{Level, Lock};
use crate::memory::direct;
use abi::channel::{COMMANDS, DETAIL_SIZE, EVENTS, layout};
use abi::command::CommandEntry;
use abi::event::{Event, kind};
use core::sync::atomic::{AtomicBool, Ordering, fence};
use zerocopy::{FromBytes, IntoBytes};

struct Rings {
    /// Channel and detail area while a daemon is attached.
    areas: Option<(u64, u64)>,
    event_tail: u32,
    command_head: u32,
}

/// An event was put into an empty ring and the interrupt not yet raised: posters hold locks.
// SAFETY: the linker script puts the section with the rest of the data.
#[unsafe(link_section = ".data.exit.shared")]
static RAISE: AtomicBool = AtomicBool::new(false);

static RINGS: Lock<Rings> = Lock::new(Level::Events, Rings { areas: None, event_tail: 0, command_head: 0 });

/// True while a daemon is attached.
pub fn attached() -> bool {
    RINGS.lock().areas.is_some()
}

/// Begins with empty rings in these areas, which were checked to be dom0's.
pub fn attach(channel: u64, detail: u64) {
    let mut rings = RINGS.lock();
    for offset in [layout::COMMAND_HEAD, layout::COMMAND_TAIL, layout::EVENT_HEAD, layout::EVENT_TAIL] {
        store(channel + offset, 0);
    }
    rings.event_tail = 0;
    rings.command_head = 0;
    rings.areas = Some((channel, detail));
}

/// Lets go of the areas; true if there were any.
pub fn detach() -> bool {
    RINGS.lock().areas.take().is_some()
}

/// A shared index: the low half of an aligned word of its own cache line.
fn load(address: u64) -> u32 {
    direct::atomic(address).load(Ordering::Acquire) as u32
}

fn store(address: u64, value: u32) {
    direct::atomic(address).store(value.into(), Ordering::Release);
}

/// What a guest can cause without end takes no more of the ring: the rest is for the others' events.
const MOST: u32 = EVENTS / 4 * 3;
/// From here on guests that print take turns.
const TURNS: u32 = EVENTS / 4;

/// Posts an event with the bytes of its detail area. False if there is no room or no daemon: the
/// poster keeps it, and tries again when [`super::commands`] or an attach asks for it.
pub fn post(event: &Event, detail: &[u8]) -> bool {
    let room = if event.kind == kind::DEVICE_STATUS { MOST } else { EVENTS };
    put(&mut RINGS.lock(), event, detail, room)
}

/// The same for what a guest prints; `last` is where its last such event ended in the ring. While that has not been
/// taken it finds little room, so that no guest keeps another from printing.
pub fn post_output(event: &Event, last: &mut u32) -> bool {
    let mut rings = RINGS.lock();
    let is_untaken = rings.event_tail.wrapping_sub(*last) < rings.waiting();
    let posted = put(&mut rings, event, &[], if is_untaken { TURNS } else { MOST });
    if posted {
        *last = rings.event_tail;
    }
    posted
}

/// Raises the interrupt that posted events asked for. Called where no lock is held.
pub fn raise_interrupt() {
    if RAISE.load(Ordering::Relaxed) && RAISE.swap(false, Ordering::AcqRel) {
        pci::set_interrupt(true);
    }
}

impl Rings {
    /// Events that dom0 has not taken, by what it says.
    fn waiting(&self) -> u32 {
        self.areas.map_or(0, |(channel, _)| self.event_tail.wrapping_sub(load(channel + layout::EVENT_HEAD)))
    }
}

/// Puts one event into the ring unless `room` entries of it are taken.
fn put(rings: &mut Rings, event: &Event, detail: &[u8], room: u32) -> bool {
    let Some((channel, details)) = rings.areas.filter(|_| rings.waiting() < room) else { return false };
    let slot = u64::from(rings.event_tail % EVENTS);
    let len = detail.len().min(DETAIL_SIZE as usize);
    direct::write_bytes(details + slot * u64::from(DETAIL_SIZE), &detail[..len]);
    direct::write_bytes(channel + layout::EVENTS + slot * 64, event.as_bytes());
    let before = rings.event_tail;
    rings.event_tail = before.wrapping_add(1);
    store(channel + layout::EVENT_TAIL, rings.event_tail);
    // dom0 may have taken all that there was while this one was copied, and have seen the old tail:
    // only what it has taken by now tells whether it looks again by itself.
    fence(Ordering::SeqCst);
    RAISE.fetch_or(load(channel + layout::EVENT_HEAD) == before, Ordering::AcqRel);
    true
}

/// The next command, copied, with its place in the ring.
pub fn next_command() -> Option<(CommandEntry, u64)> {
    let rings = RINGS.lock();
    let (channel, _) = rings.areas?;
    let waiting = load(channel + layout::COMMAND_TAIL).wrapping_sub(rings.command_head);
    if waiting == 0 || waiting > COMMANDS {
        return None;
    }
    let address = channel + layout::COMMANDS + u64::from(rings.command_head % COMMANDS) * 64;
    let mut bytes = [0; 64];
    direct::read_bytes(address, &mut bytes);
    CommandEntry::read_from_bytes(&bytes).ok().map(|entry| (entry, address))
}

/// Writes back the arguments and the result of the command at `address` and moves on.
pub fn finish_command(address: u64, entry: &CommandEntry) {
    let mut rings = RINGS.lock();
    let Some((channel, _)) = rings.areas else { return };
    direct::write_bytes(address, entry.command.as_bytes());
    rings.command_head = rings.command_head.wrapping_add(1);
    store(channel + layout::COMMAND_HEAD, rings.command_head);
}
