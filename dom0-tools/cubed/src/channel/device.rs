//! The real channel: the function, its registers, the rings and the buffers, put together.

use super::bind::{Function, bind, gsi};
use super::buffer::{Buffer, Pool};
use super::config_space::ConfigSpace;
use super::hugepages::HugePages;
use super::mapping::Mapping;
use super::registers::Registers;
use super::rings::{Bell, Rings};
use super::{AttachError, Event, Hypervisor, Line, Lost};
use abi::channel::{MAGIC, reg};
use abi::command::Command;
use rustix::fs::{Mode, OFlags};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Channel and detail area take a page each; below one page of buffers nothing can be moved.
const AREAS: usize = 2;

/// Events taken in a row after which more may be waiting for room in the ring: what a guest prints finds none from a
/// quarter on.
const FULL: u32 = abi::channel::EVENTS / 8;

/// An attached channel. Dropping it closes the uio device: the kernel clears bus mastering, and
/// the hypervisor detaches.
#[derive(Debug)]
pub struct Channel {
    rings: Rings,
    registers: Registers,
    config: ConfigSpace,
    pool: Pool,
    memory: Mapping,
    /// Events taken since the last doorbell.
    taken: u32,
    // Last, so that it is closed when nothing uses the areas any more.
    uio: OwnedFd,
}

impl Channel {
    /// Finds, binds and attaches, with `buffers` bytes of buffers or as much as there is.
    /// The caller holds the [`super::Lock`].
    ///
    /// # Errors
    /// [`AttachError`], each with what to do about it.
    pub fn attach(buffers: usize) -> Result<Self, AttachError> {
        let function = bind()?;
        let uio = open_uio(&function)?;
        let config = ConfigSpace::open(&function.path)?;
        config.enable()?;
        let registers = Registers::map(&function.path)?;
        check(&registers)?;

        let wanted = AREAS + buffers.div_ceil(super::hugepages::HUGE).max(1);
        let pages = HugePages::open(wanted, AREAS + 1)?;
        if pages.count() < wanted {
            tracing::warn!(
                got = pages.count(),
                wanted,
                "fewer huge pages than asked for: I/O will be slower; boot dom0 with hugepages={wanted}"
            );
        }
        let (channel, channel_at) = pages.map(0, 1)?;
        let (detail, detail_at) = pages.map(1, 1)?;
        let (memory, memory_at) = pages.map(AREAS, pages.count() - AREAS)?;
        let rings = Rings::new(channel, detail);

        registers.write_pair(reg::CHANNEL_LOW, reg::CHANNEL_HIGH, first(&channel_at));
        registers.write_pair(reg::DETAIL_LOW, reg::DETAIL_HIGH, first(&detail_at));
        registers.write(reg::GSI, gsi(&function.path)?);
        registers.write(reg::ATTACH, abi::VERSION);
        registers.attach_result().map_err(AttachError::Refused)?;
        Ok(Self { rings, registers, config, pool: Pool::new(&memory_at), memory, taken: 0, uio })
    }
}

impl Line for Channel {
    fn interrupt(&self) -> BorrowedFd<'_> {
        self.uio.as_fd()
    }

    fn acknowledge(&mut self) -> Result<(), AttachError> {
        let mut count = [0; 4];
        // Nothing to read means that somebody looked before the interrupt came: as good.
        let _ = rustix::io::read(&self.uio, &mut count);
        self.registers.write(reg::INTERRUPT, 1);
        self.config.enable()
    }

    fn detach(self) {
        self.registers.write(reg::DETACH, 1);
    }
}

impl Bell for Registers {
    fn ring(&self) {
        self.write(reg::DOORBELL, 1);
    }

    fn attached(&self) -> bool {
        self.read(reg::STATUS) == 1
    }
}

impl Hypervisor for Channel {
    fn submit(&mut self, commands: &mut [Command]) -> Result<(), Lost> {
        self.taken = 0;
        self.rings.submit(commands, &self.registers)
    }

    fn next_event(&mut self) -> Option<Event> {
        let mut raw = self.rings.next_event();
        if raw.is_none() && self.taken >= FULL {
            // The ring may have been full: at a doorbell the hypervisor posts what waited.
            self.taken = 0;
            self.registers.ring();
            raw = self.rings.next_event();
        }
        self.taken += u32::from(raw.is_some());
        raw.map(Event::from)
    }

    fn pool(&self) -> &Pool {
        &self.pool
    }

    fn bytes<'a>(&'a self, buffer: &'a Buffer) -> &'a [u8] {
        // SAFETY: the range is the buffer's alone; the hypervisor writes it only in `submit`,
        // which borrows us exclusively; I/O in flight owns its buffer.
        unsafe { self.memory.slice(buffer.offset(), buffer.len()) }
    }

    fn bytes_mut<'a>(&'a mut self, buffer: &'a mut Buffer) -> &'a mut [u8] {
        // SAFETY: as in `bytes`; both borrows are exclusive.
        unsafe { self.memory.slice_mut(buffer.offset(), buffer.len()) }
    }
}

fn check(registers: &Registers) -> Result<(), AttachError> {
    match (registers.read(reg::MAGIC), registers.read(reg::VERSION)) {
        (MAGIC, abi::VERSION) => Ok(()),
        (MAGIC, version) => Err(AttachError::Version(version)),
        (magic, _) => Err(AttachError::Magic(magic)),
    }
}

fn open_uio(function: &Function) -> Result<OwnedFd, AttachError> {
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::open(&function.uio, flags, Mode::empty())
        .map_err(|error| AttachError::file("opening", &function.uio)(error.into()))
}

fn first(addresses: &[u64]) -> u64 {
    addresses.first().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_version_of_the_abi_is_spoken() {
        let checked = |magic: u32, version: u32| {
            let registers = Registers::over(Mapping::anonymous(abi::channel::BAR_SIZE as usize).unwrap());
            registers.write(reg::MAGIC, magic);
            registers.write(reg::VERSION, version);
            check(&registers)
        };
        checked(MAGIC, abi::VERSION).unwrap();
        for other in [0, abi::VERSION + 1, u32::MAX] {
            let refusal = checked(MAGIC, other).unwrap_err();
            assert!(matches!(refusal, AttachError::Version(found) if found == other));
            let told = [other, abi::VERSION].map(|version| format!("version {version}"));
            assert!(told.iter().all(|version| refusal.to_string().contains(version)), "{refusal}");
        }
        // Registers of something else are not asked for a version.
        assert!(matches!(checked(!0, !0), Err(AttachError::Magic(_))));
        assert!(matches!(checked(0, abi::VERSION), Err(AttachError::Magic(0))));
    }
}
