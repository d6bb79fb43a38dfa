//! INS and OUTS: one element an exit; the guest comes back for the next.

use super::emulation::{self, Devices, Stop};
use super::view::View;
use super::{Context, Domain, Next, Vcpu};
use crate::vcpu::PortAccess;
use alloc::sync::Arc;
use emulate::Place;

/// The ports of a domain.
pub trait Ports: Devices {
    /// Reads `access.width` bytes.
    fn input(&mut self, access: PortAccess) -> u32;
    /// Writes them.
    fn output(&mut self, access: PortAccess, value: u32);
}

/// Carries out one element of the string instruction that `access` tells of.
pub fn string_port(
    vcpu: &Arc<Vcpu>,
    domain: &Arc<Domain>,
    context: &mut Context,
    access: PortAccess,
    ports: &mut dyn Ports,
) -> Next {
    let result = attempt(domain, context, access, ports);
    emulation::settle(vcpu, domain, context, result, access.port.into())
}

fn attempt(domain: &Domain, context: &mut Context, access: PortAccess, ports: &mut dyn Ports) -> Result<(), Stop> {
    let view = View::new(context)?;
    let mut bytes = [0; 15];
    let len = view.fetch(domain, &mut bytes)?;
    let mut registers = view.registers(context);
    let PortAccess { port, width, write, string, repeat } = access;
    let told = emulate::ports::PortAccess { port, width: width.into(), write, string, rep: repeat };
    let plan = told.plan(&bytes[..len], view.width, &registers)?;
    // The memory is checked before the port is read: reading may change a device.
    if let Some(store) = plan.store()
        && !matches!(store.place, Place::Port(_))
    {
        view.locate(domain, store, true)?;
    }
    let loaded = match plan.load() {
        Some(load) if matches!(load.place, Place::Port(_)) => ports.input(access).into(),
        Some(load) => view.load(domain, load, ports)?,
        None => 0,
    };
    let result = plan.finish(&mut registers, loaded);
    if let (Some(store), Some(value)) = (plan.store(), result) {
        match store.place {
            Place::Port(_) => ports.output(access, value as u32),
            _ => view.store(domain, store, value, ports)?,
        }
    }
    emulation::keep(context, &registers);
    Ok(())
}
