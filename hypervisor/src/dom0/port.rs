//! dom0's port I/O: direct, but for the ports that are ours or that we must see.

use crate::cpu::port as real;
use crate::domain::Context;
use crate::service;
use crate::vcpu::{Gpr, PortAccess};
use core::ops::RangeInclusive;

/// Ports that exit: PCI configuration (our service function is there), and the hypervisor's
/// serial line.
pub const INTERCEPTED_PORTS: &[RangeInclusive<u16>] = &[0x2f8..=0x2ff, 0xcf8..=0xcff];

/// Handles an access, not of a string.
pub fn port(context: &mut Context, access: PortAccess) {
    let rax = &mut context.registers.gpr[Gpr::RAX];
    let ours = (0x2f8..=0x2ff).contains(&access.port);
    if access.write && service::pci::port_write(access.port, access.width, *rax as u32) {
        return;
    }
    if access.write {
        match access.width {
            _ if ours => {}
            1 => real::write8(access.port, *rax as u8),
            2 => real::write16(access.port, *rax as u16),
            _ => real::write32(access.port, *rax as u32),
        }
        return;
    }
    let claimed = service::pci::port_read(access.port, access.width);
    let value = match (access.width, claimed) {
        (_, Some(value)) => value,
        _ if ours => u32::MAX,
        (1, _) => real::read8(access.port).into(),
        (2, _) => real::read16(access.port).into(),
        _ => real::read32(access.port),
    };
    *rax = match access.width {
        1 => *rax & !0xff | u64::from(value & 0xff),
        2 => *rax & !0xffff | u64::from(value & 0xffff),
        _ => value.into(),
    };
}
