//! A vCPU on VMX.

use super::control::{self, Access};
use super::controls::Controls;
use super::event::{self, Injection};
use super::swapped::{self, Swapped};
use super::translation::{self, Vpid};
use super::vmcs::{Current, Vmcs};
use super::{entry, exits, host, msrs, state};
use crate::cpu;
use crate::vcpu::{Backend, Event, Exit, Gpr, Mode, Registers, Start};
use alloc::boxed::Box;
use core::fmt::Write;
use paging::{Ept, Mfn};
use x86::vmx::vmcs::control::{
    EPTP_FULL, PRIMARY_PROCBASED_EXEC_CONTROLS, PrimaryControls, VMENTRY_INTERRUPTION_INFO_FIELD,
};
use x86::vmx::vmcs::{control as control_field, guest, ro};

/// Levels of the nested tables.
const LEVELS: u8 = 4;
/// [`Exit::BadState`] for an entry that was refused outright: with the VM-instruction error.
const REFUSED: u64 = 1 << 32;

/// One vCPU.
pub struct Cpu {
    vmcs: Vmcs,
    ept_pointer: u64,
    vpid: Vpid,
    swapped: Swapped,
    /// Set from `load` to `unload`.
    loaded: bool,
    /// Goes into the guest at the next entry.
    pending: Option<Injection>,
    /// Primary controls without the interrupt window.
    primary: u32,
    window: bool,
    cr8: u64,
    /// The CPU that may hold translations of this vCPU that are still right.
    last_cpu: Option<u32>,
    /// Translations must go before the next entry.
    stale: bool,
}

impl Cpu {
    /// A vCPU in the address space of the nested table at physical address `nested_root`. `None`
    /// without memory or identifiers.
    #[allow(clippy::new_ret_no_self)] // nobody names the type: a back end is what its trait says
    pub fn new(nested_root: u64, dom0: bool) -> Option<Box<dyn Backend>> {
        let controls = Controls::settle(dom0).ok()?;
        let ept_pointer = Ept::pointer(Mfn(nested_root >> 12), LEVELS)?;
        let vpid = Vpid::allocate()?;
        let vmcs = Vmcs::new()?;
        vmcs.with(|vmcs| {
            controls.write(vmcs, dom0);
            vmcs.write(control_field::VPID, vpid.value());
            vmcs.write(EPTP_FULL, ept_pointer);
        });
        Some(Box::new(Self {
            vmcs,
            ept_pointer,
            vpid,
            swapped: Swapped::new(),
            loaded: false,
            pending: None,
            primary: controls.primary,
            window: false,
            cr8: 0,
            last_cpu: None,
            stale: true,
        }))
    }

    /// What is ours to do after an exit, and what is left for the caller.
    fn after_exit(&mut self, registers: &mut Registers) -> Exit {
        self.vmcs.with(|vmcs| {
            let reason = vmcs.read(ro::EXIT_REASON);
            if reason & exits::ENTRY_FAILED != 0 {
                return Exit::BadState(reason & 0xffff);
            }
            self.vmcs.set_launched();
            registers.gpr[Gpr::RSP] = vmcs.read(guest::RSP);
            registers.rip = vmcs.read(guest::RIP);
            registers.rflags = vmcs.read(guest::RFLAGS);
            self.pending = Injection::cut_short(vmcs);
            match reason & 0xffff {
                exits::EXCEPTION_OR_NMI => exception(vmcs, &mut self.pending),
                exits::CONTROL_REGISTER => match control::access(vmcs, registers, &mut self.cr8) {
                    Access::Done => NOTHING,
                    Access::Fault(injection) => {
                        self.pending = Some(injection);
                        NOTHING
                    }
                    Access::Unknown => Exit::Unknown(exits::CONTROL_REGISTER),
                },
                other => exits::decode(vmcs, other),
            }
        })
    }
}

/// The exit was dealt with here; the caller looks at physical interrupts and goes on.
const NOTHING: Exit = Exit::Interrupt { vector: None };

/// An exception goes back to the guest; an NMI is the machine's.
fn exception(vmcs: &Current<'_>, pending: &mut Option<Injection>) -> Exit {
    const DEBUG: u64 = 1;
    const MACHINE_CHECK: u64 = 18;
    let info = vmcs.read(ro::VMEXIT_INTERRUPTION_INFO);
    if info as u32 & 7 << 8 == event::NMI {
        return Exit::Nmi;
    }
    match info & 0xff {
        MACHINE_CHECK => return Exit::Unknown(info),
        DEBUG => {
            swapped::add_debug_causes(vmcs.read(ro::EXIT_QUALIFICATION));
            vmcs.write(guest::DR7, vmcs.read(guest::DR7) & !(1 << 13));
        }
        _ => {}
    }
    *pending = Some(Injection::of_exit(vmcs));
    NOTHING
}

impl Backend for Cpu {
    fn start(&mut self, start: Start) {
        self.vmcs.with(|vmcs| state::set(vmcs, start));
        self.pending = None;
        self.cr8 = 0;
        self.stale = true;
    }

    fn load(&mut self) {
        let here = Some(cpu::index());
        // Elsewhere the guest may have changed translations that this CPU remembers.
        self.stale |= self.last_cpu != here;
        self.last_cpu = here;
        self.vmcs.load();
        self.vmcs.with(host::write);
        self.swapped.load();
        self.loaded = true;
    }

    fn unload(&mut self) {
        if self.loaded {
            self.swapped.save();
            self.vmcs.unload();
            self.loaded = false;
        }
    }

    // SAFETY: the linker script puts the section with the rest of the code.
    #[unsafe(link_section = ".text.exit")]
    fn run(&mut self, registers: &mut Registers, flush: bool) -> Exit {
        if flush || self.stale {
            translation::flush(self.ept_pointer, &self.vpid);
            self.stale = false;
        }
        self.vmcs.with(|vmcs| {
            vmcs.write(guest::RSP, registers.gpr[Gpr::RSP]);
            vmcs.write(guest::RIP, registers.rip);
            vmcs.write(guest::RFLAGS, registers.rflags);
            match self.pending.take() {
                Some(injection) => injection.write(vmcs),
                None => vmcs.write(VMENTRY_INTERRUPTION_INFO_FIELD, 0),
            }
        });
        // SAFETY: `load` made the VMCS current with this CPU's host state; the nested table and the
        // bitmaps outlive it.
        let exit = match unsafe { entry::run(registers, self.vmcs.launched()) } {
            0 => self.after_exit(registers),
            _ => Exit::BadState(REFUSED | self.vmcs.with(|vmcs| vmcs.read(ro::VM_INSTRUCTION_ERROR))),
        };
        registers.cr8 = self.cr8 as u8;
        exit
    }

    fn can_interrupt(&self, registers: &Registers) -> bool {
        registers.rflags >> 9 & 1 == 1
            && self.pending.is_none()
            && self.vmcs.with(|vmcs| vmcs.read(guest::INTERRUPTIBILITY_STATE)) & event::SHADOWS == 0
    }

    fn inject(&mut self, event: Event) {
        self.pending = Some(event.into());
    }

    fn lost_shadow(&self) -> bool {
        false
    }

    fn injecting(&self) -> bool {
        self.pending.is_some()
    }

    fn want_window(&mut self, want: bool) {
        if self.window != want {
            let window = if want { PrimaryControls::INTERRUPT_WINDOW_EXITING.bits() } else { 0 };
            self.vmcs.with(|vmcs| vmcs.write(PRIMARY_PROCBASED_EXEC_CONTROLS, (self.primary | window).into()));
            self.window = want;
        }
    }

    fn end_shadow(&mut self) {
        self.vmcs.with(|vmcs| event::complete(vmcs, vmcs.read(guest::RFLAGS)));
    }

    fn mode(&self) -> Mode {
        self.vmcs.with(|vmcs| {
            let code = vmcs.read(guest::CS_ACCESS_RIGHTS);
            Mode {
                cr0: control::cr0(vmcs),
                cr3: vmcs.read(guest::CR3),
                cr4: control::cr4(vmcs),
                efer: vmcs.read(guest::IA32_EFER_FULL),
                long: code >> 13 & 1 == 1,
                default32: code >> 14 & 1 == 1,
                cpl: (vmcs.read(guest::SS_ACCESS_RIGHTS) >> 5 & 3) as u8,
                bases: state::bases(vmcs),
            }
        })
    }

    fn set_efer(&mut self, value: u64) {
        self.vmcs.with(|vmcs| state::set_efer(vmcs, value));
    }

    fn set_cr2(&mut self, value: u64) {
        self.swapped.set_cr2(value, self.loaded);
    }

    fn set_cr8(&mut self, value: u8) {
        self.cr8 = value.into();
    }

    fn msr(&mut self, register: u32) -> Option<u64> {
        if let Some(field) = msrs::field(register) {
            return Some(self.vmcs.with(|vmcs| vmcs.read(field)));
        }
        if self.loaded {
            self.swapped.save();
        }
        self.swapped.msr(register).map(|value| *value)
    }

    fn set_msr(&mut self, register: u32, value: u64) -> bool {
        if !msrs::accepts(register, value) {
            return false;
        }
        if let Some(field) = msrs::field(register) {
            self.vmcs.with(|vmcs| vmcs.write(field, value));
            return true;
        }
        if self.loaded {
            self.swapped.save();
        }
        let Some(slot) = self.swapped.msr(register) else { return false };
        *slot = value;
        if self.loaded {
            self.swapped.load();
        }
        true
    }

    fn describe(&self, out: &mut dyn Write) {
        self.vmcs.with(|vmcs| {
            let get = |field| vmcs.read(field);
            let _ = write!(
                out,
                "cpu {} exit {:#x} qualification {:#x} error {} address {:#x} linear {:#x} cs:rip {:#x}:{:#x} cr0 {:#x} cr3 {:#x} cr4 {:#x} efer {:#x}",
                cpu::index(), get(ro::EXIT_REASON), get(ro::EXIT_QUALIFICATION), get(ro::VM_INSTRUCTION_ERROR),
                get(ro::GUEST_PHYSICAL_ADDR_FULL), get(ro::GUEST_LINEAR_ADDR), get(guest::CS_SELECTOR), get(guest::RIP),
                get(guest::CR0), get(guest::CR3), get(guest::CR4), get(guest::IA32_EFER_FULL)
            );
        });
    }
}
