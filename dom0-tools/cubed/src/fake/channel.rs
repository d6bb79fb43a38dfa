//! One daemon's channel to the model.

use super::model::Model;
use crate::channel::hugepages::HUGE;
use crate::channel::mapping::Mapping;
use crate::channel::{Buffer, Event, Hypervisor, Lost, Pool};
use abi::command::Command;
use std::cell::RefCell;
use std::rc::Rc;

/// Physical addresses are far apart and not in order, so that nothing is right by accident.
fn physical(page: usize) -> u64 {
    0x1_0000_0000 + ((page * 7 + 3) % 64 * 2 * HUGE) as u64
}

/// An attached channel; dropping it detaches, as closing the uio device does.
pub struct Fake {
    model: Rc<RefCell<Model>>,
    memory: Memory,
    pool: Pool,
    /// Never readable: the model raises no interrupts.
    interrupt: std::os::unix::net::UnixStream,
    _other: std::os::unix::net::UnixStream,
}

/// dom0's memory as the model reaches it: only buffer pages, by physical address.
pub struct Memory {
    mapping: Mapping,
    pages: usize,
}

impl Fake {
    /// Attaches with that many huge pages of buffers.
    pub fn attach(model: &Rc<RefCell<Model>>, pages: usize) -> Self {
        model.borrow_mut().attach();
        let addresses: Vec<u64> = (0..pages).map(physical).collect();
        let mapping = Mapping::anonymous(pages * HUGE).unwrap();
        let (interrupt, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        let memory = Memory { mapping, pages };
        Self { model: Rc::clone(model), memory, pool: Pool::new(&addresses), interrupt, _other }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.model.borrow_mut().detach();
    }
}

impl Memory {
    fn offset(&self, address: u64, len: usize) -> Option<usize> {
        (0..self.pages).find_map(|page| {
            let within = usize::try_from(address.checked_sub(physical(page))?).ok()?;
            (within + len <= HUGE).then_some(page * HUGE + within)
        })
    }

    /// Reads from a buffer; `None` if it is not in dom0's memory.
    pub fn read(&self, address: u64, len: usize) -> Option<Vec<u8>> {
        let at = self.offset(address, len)?;
        // SAFETY: a submit is going on, so nobody holds slices of buffers.
        Some(unsafe { self.mapping.slice(at, len) }.to_vec())
    }

    /// Writes to a buffer; `None` if it is not in dom0's memory.
    pub fn write(&self, address: u64, bytes: &[u8]) -> Option<()> {
        let at = self.offset(address, bytes.len())?;
        // SAFETY: as in `read`.
        unsafe { self.mapping.slice_mut(at, bytes.len()) }.copy_from_slice(bytes);
        Some(())
    }
}

impl Hypervisor for Fake {
    fn submit(&mut self, commands: &mut [Command]) -> Result<(), Lost> {
        let mut model = self.model.borrow_mut();
        for command in commands {
            match &mut model.fuse {
                Some(0) => return Err(Lost::Detached),
                Some(left) => *left -= 1,
                None => {}
            }
            model.run(command, &self.memory);
        }
        Ok(())
    }

    fn next_event(&mut self) -> Option<Event> {
        self.model.borrow_mut().events.pop_front()
    }

    fn pool(&self) -> &Pool {
        &self.pool
    }

    fn bytes<'a>(&'a self, buffer: &'a Buffer) -> &'a [u8] {
        // SAFETY: as in the real channel: the buffer is exclusive, and submit needs `&mut self`.
        unsafe { self.memory.mapping.slice(buffer.offset(), buffer.len()) }
    }

    fn bytes_mut<'a>(&'a mut self, buffer: &'a mut Buffer) -> &'a mut [u8] {
        // SAFETY: as above.
        unsafe { self.memory.mapping.slice_mut(buffer.offset(), buffer.len()) }
    }
}

impl crate::channel::Line for Fake {
    fn interrupt(&self) -> std::os::fd::BorrowedFd<'_> {
        std::os::fd::AsFd::as_fd(&self.interrupt)
    }

    fn acknowledge(&mut self) -> Result<(), crate::channel::AttachError> {
        Ok(())
    }

    fn detach(self) {}
}
