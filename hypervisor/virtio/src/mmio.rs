//! The MMIO transport's register file (section 4.2), one device. Depends on this crate's parts.
//!
//! Invariants: queues exist for callers only while the driver is ready and the device is not
//! broken; what a driver does out of order is ignored or breaks the device until it is reset.

use crate::config::ConfigSpace;
use crate::features;
use crate::queue::{MAX_SIZE, Queue};
use crate::queue_registers::{Area, QueueRegisters};
use crate::registers as reg;
use crate::status::{self, DRIVER_OK, FEATURES_OK, NEEDS_RESET, Step};
use heapless::Vec;

/// Most queues of a device.
pub const MAX_QUEUES: usize = 8;

/// What the hypervisor must do after a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Nothing.
    None,
    /// This queue may have new chains: pop until there are none.
    Notify(u16),
    /// The device was reset: its queues and live requests are gone.
    Reset,
    /// The status changed. If [`Device::ready`], look at every queue once: a driver may have
    /// filled them before. If [`Device::broken`], raise the interrupt.
    StatusChanged,
    /// This queue was taken out of use: its live requests are gone.
    QueueDisabled(u16),
    /// The driver acknowledged interrupts.
    Ack,
    /// The driver wrote to the configuration space.
    ConfigWrite,
}

/// Why a device cannot be made as described.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unfit {
    /// Not 1 to [`MAX_QUEUES`] queues.
    Queues,
    /// The queues' size is not a power of two up to [`MAX_SIZE`].
    Size,
    /// A feature of the transport that is not implemented.
    Features,
    /// Too many bytes of configuration.
    Config,
}

/// A virtio device behind the MMIO transport.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    id: u32,
    offered: u64,
    accepted: u64,
    /// The driver wants features above bit 63, which are never offered.
    accepted_beyond: bool,
    offered_half: u32,
    accepted_half: u32,
    status: u8,
    interrupt: u32,
    selected: u32,
    queue_max: u16,
    queues: Vec<QueueRegisters, MAX_QUEUES>,
    config: ConfigSpace,
}

impl Device {
    /// A device of virtio type `id` with `queues` queues of up to `queue_max` entries.
    /// VERSION_1 is added to the offered `features`.
    ///
    /// # Errors
    /// [`Unfit`] says which argument is illegal.
    pub fn new(id: u32, queues: usize, queue_max: u16, features: u64, config: &[u8]) -> Result<Self, Unfit> {
        if !queue_max.is_power_of_two() || queue_max > MAX_SIZE {
            return Err(Unfit::Size);
        }
        if !features::offerable(features) {
            return Err(Unfit::Features);
        }
        let mut list = Vec::new();
        list.resize(queues, QueueRegisters::RESET).map_err(|_| Unfit::Queues)?;
        if queues == 0 {
            return Err(Unfit::Queues);
        }
        Ok(Self {
            id,
            offered: features | features::VERSION_1,
            accepted: 0,
            accepted_beyond: false,
            offered_half: 0,
            accepted_half: 0,
            status: 0,
            interrupt: 0,
            selected: 0,
            queue_max,
            queues: list,
            config: ConfigSpace::new(id, config).ok_or(Unfit::Config)?,
        })
    }

    /// The virtio device type.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// The status byte.
    #[must_use]
    pub const fn status(&self) -> u8 {
        self.status
    }

    /// The features in force; 0 until they are settled.
    #[must_use]
    pub const fn features(&self) -> u64 {
        if self.status & FEATURES_OK != 0 { self.accepted } else { 0 }
    }

    /// The configuration space.
    #[must_use]
    pub const fn config(&self) -> &ConfigSpace {
        &self.config
    }

    /// True if the driver is ready and the device not broken.
    #[must_use]
    pub const fn ready(&self) -> bool {
        self.status & (DRIVER_OK | NEEDS_RESET) == DRIVER_OK
    }

    /// True if only a reset helps.
    #[must_use]
    pub const fn broken(&self) -> bool {
        self.status & NEEDS_RESET != 0
    }

    /// How many queues there are, in use or not.
    #[must_use]
    pub fn queues(&self) -> u16 {
        self.queues.len() as u16
    }

    /// Queue `index`, if it is in use and the device [`Self::ready`].
    pub fn queue(&mut self, index: u16) -> Option<&mut Queue> {
        let ready = self.ready();
        self.queues.get_mut(usize::from(index)).filter(|_| ready)?.queue_mut()
    }

    /// Notes that buffers were used; the caller raises the interrupt.
    pub const fn raise_used(&mut self) {
        self.interrupt |= reg::INTERRUPT_USED;
    }

    /// Replaces bytes of the configuration space from `offset` up. True if the driver is to be interrupted; `None`
    /// (nothing changed) if they do not fit.
    pub fn set_config(&mut self, offset: usize, bytes: &[u8]) -> Option<bool> {
        self.config.replace(offset, bytes).then(|| self.config_changed())
    }

    /// Breaks the device: it does nothing until the driver resets it. True if the driver is to be interrupted.
    pub const fn break_down(&mut self) -> bool {
        self.status |= NEEDS_RESET;
        self.config_changed()
    }

    const fn config_changed(&mut self) -> bool {
        let told = self.status & DRIVER_OK != 0;
        if told {
            self.interrupt |= reg::INTERRUPT_CONFIG;
        }
        told
    }

    fn reset(&mut self) {
        self.accepted = 0;
        self.accepted_beyond = false;
        self.offered_half = 0;
        self.accepted_half = 0;
        self.status = 0;
        self.interrupt = 0;
        self.selected = 0;
        self.queues.fill(QueueRegisters::RESET);
    }

    fn selected(&mut self) -> Option<&mut QueueRegisters> {
        self.queues.get_mut(usize::try_from(self.selected).ok()?)
    }

    /// A driver's read of `len` bytes at `offset`. Registers are 32 bits; other accesses of them read as 0.
    #[must_use]
    pub fn read(&self, offset: u64, len: usize) -> u64 {
        if let Some(place) = offset.checked_sub(reg::CONFIG) {
            return self.config.read(place, len);
        }
        if len != 4 {
            return 0;
        }
        let queue = usize::try_from(self.selected).ok().and_then(|n| self.queues.get(n));
        u64::from(match offset {
            reg::MAGIC => reg::MAGIC_VALUE,
            reg::VERSION => 2,
            reg::DEVICE_ID => self.id,
            reg::VENDOR_ID => reg::VENDOR,
            reg::DEVICE_FEATURES => match self.offered_half {
                0 => self.offered as u32,
                1 => (self.offered >> 32) as u32,
                _ => 0,
            },
            reg::QUEUE_NUM_MAX => queue.map_or(0, |_| u32::from(self.queue_max)),
            reg::QUEUE_READY => u32::from(queue.is_some_and(|queue| queue.queue().is_some())),
            reg::INTERRUPT_STATUS => self.interrupt,
            reg::STATUS => u32::from(self.status),
            reg::SHM_LEN_LOW..=reg::SHM_BASE_HIGH if offset.is_multiple_of(4) => u32::MAX,
            reg::CONFIG_GENERATION => self.config.generation(),
            _ => 0,
        })
    }

    /// A driver's write of the low `len` bytes of `value` at `offset`.
    pub fn write(&mut self, offset: u64, len: usize, value: u64) -> Effect {
        if let Some(place) = offset.checked_sub(reg::CONFIG) {
            let written = self.config.write(place, len, value);
            return if written { Effect::ConfigWrite } else { Effect::None };
        }
        if len != 4 {
            return Effect::None;
        }
        let value = value as u32;
        match offset {
            reg::DEVICE_FEATURES_SEL => self.offered_half = value,
            reg::DRIVER_FEATURES_SEL => self.accepted_half = value,
            reg::DRIVER_FEATURES => self.accept(value),
            reg::QUEUE_SEL => self.selected = value,
            reg::QUEUE_NUM..reg::QUEUE_NOTIFY | reg::QUEUE_DESC_LOW..reg::SHM_LEN_LOW => {
                return self.write_queue(offset, value);
            }
            reg::QUEUE_NOTIFY => {
                let queue = u16::try_from(value).ok().filter(|index| self.queue(*index).is_some());
                return queue.map_or(Effect::None, Effect::Notify);
            }
            reg::INTERRUPT_ACK => {
                self.interrupt &= !value;
                return Effect::Ack;
            }
            reg::STATUS => return self.write_status(value),
            _ => {}
        }
        Effect::None
    }

    fn accept(&mut self, value: u32) {
        if self.status & FEATURES_OK == 0 {
            match self.accepted_half {
                0 => self.accepted = self.accepted & !0xffff_ffff | u64::from(value),
                1 => self.accepted = self.accepted & 0xffff_ffff | u64::from(value) << 32,
                _ => self.accepted_beyond |= value != 0,
            }
        }
    }

    fn write_status(&mut self, value: u32) -> Effect {
        let fit = !self.accepted_beyond && features::acceptable(self.id, self.offered, self.accepted);
        match status::step(self.status, value, fit) {
            Step::Reset => {
                self.reset();
                return Effect::Reset;
            }
            Step::To(status) if status == self.status => return Effect::None,
            Step::To(status) => self.status = status,
            Step::Illegal => {
                self.break_down();
            }
        }
        Effect::StatusChanged
    }

    fn write_queue(&mut self, offset: u64, value: u32) -> Effect {
        let (max, features) = (self.queue_max, self.features());
        if self.status & FEATURES_OK == 0 {
            return Effect::None;
        }
        let index = self.selected as u16;
        let Some(queue) = self.selected() else {
            return Effect::None;
        };
        match offset {
            reg::QUEUE_NUM => queue.set_num(value),
            reg::QUEUE_READY if value & 1 == 0 => {
                return if queue.disable() { Effect::QueueDisabled(index) } else { Effect::None };
            }
            reg::QUEUE_READY if !queue.enable(max, features) => {
                self.break_down();
                return Effect::StatusChanged;
            }
            reg::QUEUE_DESC_LOW => queue.set_area(Area::Descriptors, false, value),
            reg::QUEUE_DESC_HIGH => queue.set_area(Area::Descriptors, true, value),
            reg::QUEUE_DRIVER_LOW => queue.set_area(Area::Driver, false, value),
            reg::QUEUE_DRIVER_HIGH => queue.set_area(Area::Driver, true, value),
            reg::QUEUE_DEVICE_LOW => queue.set_area(Area::Device, false, value),
            reg::QUEUE_DEVICE_HIGH => queue.set_area(Area::Device, true, value),
            _ => {}
        }
        Effect::None
    }
}
