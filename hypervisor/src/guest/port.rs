//! A guest's I/O ports: the 16550, power, reset, test exit, debug output. All others are empty.

use super::Guest;
use super::devices::View;
use super::notices::send_uart;
use super::requests::interrupt;
use crate::domain::{self, Context, Domain, End, Next, Ports, Reason, Vcpu};
use crate::vcpu::{Gpr, PortAccess};
use abi::platform::{
    DEBUG_PORT, EVENT_PORT, EXIT_PORT, RESET_PORT, RESET_VALUE, SLEEP_CONTROL_PORT, UART_GSI, UART_PORT,
};
use alloc::sync::Arc;

const SLEEP_ENABLE: u32 = 1 << 5;

/// All bits of an access.
fn mask(access: PortAccess) -> u32 {
    u32::MAX >> (32 - 8 * u32::from(access.width.clamp(1, 4)))
}

/// Handles one element of INS or OUTS.
pub fn string_port(
    vcpu: &Arc<Vcpu>,
    domain: &Arc<Domain>,
    guest: &Guest,
    context: &mut Context,
    access: PortAccess,
) -> Next {
    let mut ports = View { domain, guest };
    match domain::string_port(vcpu, domain, context, access, &mut ports) {
        Next::Continue if domain.has_ended() => Next::Ended,
        next => next,
    }
}

impl Ports for View<'_> {
    fn input(&mut self, access: PortAccess) -> u32 {
        read(self.guest, access) & mask(access)
    }

    fn output(&mut self, access: PortAccess, value: u32) {
        if let Some(end) = write(self.domain, self.guest, access, value & mask(access)) {
            self.domain.end(end);
        }
    }
}

/// Handles IN or OUT.
pub fn port(domain: &Arc<Domain>, guest: &Guest, context: &mut Context, access: PortAccess) -> Next {
    let rax = context.registers.gpr[Gpr::RAX];
    let mask = mask(access);
    if access.write {
        if let Some(end) = write(domain, guest, access, rax as u32 & mask) {
            domain.end(end);
            return Next::Ended;
        }
    } else {
        let value = read(guest, access) & mask;
        context.registers.gpr[Gpr::RAX] = match access.width {
            4 => value.into(),
            _ => rax & !u64::from(mask) | u64::from(value),
        };
    }
    Next::Continue
}

fn write(domain: &Arc<Domain>, guest: &Guest, access: PortAccess, value: u32) -> Option<End> {
    let end = |reason, detail| Some(End { reason, detail });
    match (access.port, access.width) {
        (UART_PORT..=0x3ff, 1) => {
            let uart = &mut guest.devices.lock().uart;
            if uart.write(access.port - UART_PORT, value as u8) {
                interrupt(domain, guest, UART_GSI);
            }
            send_uart(domain, guest, uart);
        }
        (DEBUG_PORT, 1) => {
            let uart = &mut guest.devices.lock().uart;
            uart.output(value as u8);
            send_uart(domain, guest, uart);
        }
        (SLEEP_CONTROL_PORT, 1) if value & SLEEP_ENABLE != 0 => return end(Reason::PowerOff, 0),
        (RESET_PORT, 1) if value == u32::from(RESET_VALUE) => return end(Reason::Reset, 0),
        (EXIT_PORT, 4) => return end(Reason::GuestExit, value.into()),
        _ => {}
    }
    None
}

fn read(guest: &Guest, access: PortAccess) -> u32 {
    match (access.port, access.width) {
        (UART_PORT..=0x3ff, 1) => guest.devices.lock().uart.read(access.port - UART_PORT).into(),
        (DEBUG_PORT, 1) => DEBUG_PORT.into(),
        (EVENT_PORT, 1) => core::mem::take(&mut guest.devices.lock().events).into(),
        (SLEEP_CONTROL_PORT..=RESET_PORT, 1) => 0,
        _ => u32::MAX,
    }
}
