//! How large dom0 wants a guest's balloon to be.

use super::slot::Slots;
use abi::Error;
use virtio::balloon;

/// `SET_BALLOON`: true if the guest is to be interrupted, and the slot.
pub fn set_target(slots: &mut Slots, pages: u64) -> Result<Option<usize>, Error> {
    let pages = u32::try_from(pages).map_err(|_| Error::Invalid)?;
    let is_balloon = |device: &Option<alloc::boxed::Box<virtio::mmio::Device>>| {
        device.as_ref().is_some_and(|device| device.id() == abi::platform::VIRTIO_BALLOON)
    };
    let slot = slots.devices.iter().position(is_balloon).ok_or(Error::NotFound)?;
    let Some(device) = slots.devices[slot].as_mut() else { return Err(Error::NotFound) };
    let actual = balloon::actual(device.config().bytes());
    let told = device.set_config(0, &balloon::config(pages, actual)).ok_or(Error::State)?;
    slots.balloon_target = pages.into();
    Ok(told.then_some(slot))
}
