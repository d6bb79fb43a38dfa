//! A vCPU on SVM.

use super::vmcb::{Vmcb, field, segment};
use super::{asid, enable, entry, exits, maps, msrs, state};
use crate::cpu;
use crate::cpu::debug::{self, Breakpoints};
use crate::memory::frames;
use crate::vcpu::{Backend, Event, Exit, Mode, Registers, Start};
use alloc::boxed::Box;
use core::fmt::Write;

/// INTR, NMI, INIT, RDPMC, CPUID, INVD, HLT, INVLPGA, I/O, MSR, shutdown. Task switches are left to hardware.
const INTERCEPT_MISC1: u32 =
    1 | 1 << 1 | 1 << 3 | 1 << 15 | 1 << 18 | 1 << 22 | 1 << 24 | 1 << 26 | 1 << 27 | 1 << 28 | 1 << 31;
/// VMRUN, VMMCALL, VMLOAD, VMSAVE, STGI, CLGI, SKINIT, WBINVD, MONITOR, MWAIT (both), XSETBV.
const INTERCEPT_MISC2: u32 = 0x7f | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13;
/// Writes of CR8: an interrupt may be due after it.
const INTERCEPT_CR: u32 = 1 << 24;
/// #DB and #AC: their delivery can be made to repeat for ever (CVE-2015-8104, CVE-2015-5307), so it is ours
/// to interrupt. #MC is the machine's, not the guest's.
const INTERCEPT_EXCEPTIONS: u32 = 1 << 1 | 1 << 17 | 1 << 18;
/// Intercept of the virtual interrupt (the window), in the first word.
const INTERCEPT_WINDOW: u32 = 1 << 4;
/// RFLAGS.TF.
const TRAP: u64 = 1 << 8;
/// V_INTR_MASKING: the guest's IF does not hold back physical interrupts.
const MASKING: u64 = 1 << 24;
/// V_TPR: the guest's CR8.
const V_TPR: u64 = 0xff;
/// V_IRQ with V_IGN_TPR at the highest priority: exits as soon as the guest takes interrupts.
const WINDOW: u64 = 1 << 8 | 0xf << 16 | 1 << 20;

/// One vCPU.
pub struct Cpu {
    vmcb: Vmcb,
    asid: u32,
    /// The host area of the CPU that it is loaded on.
    host: u64,
    breakpoints: Breakpoints,
    /// Set from `load` to `unload`.
    loaded: bool,
    /// The instruction at which an exit was inside an interrupt shadow, while the guest is there.
    shadow_at: Option<u64>,
}

impl Cpu {
    /// A vCPU in the address space of the nested table at physical address `nested_root`.
    #[allow(clippy::new_ret_no_self)] // nobody names the type: a back end is what its trait says
    pub fn new(nested_root: u64, dom0: bool) -> Option<Box<dyn Backend>> {
        let mut vmcb = Vmcb::new(frames::allocate_hypervisor()?);
        vmcb.set32(field::INTERCEPT_CR, INTERCEPT_CR);
        vmcb.set32(field::INTERCEPT_MISC1, INTERCEPT_MISC1);
        vmcb.set32(field::INTERCEPT_MISC2, INTERCEPT_MISC2);
        vmcb.set32(field::INTERCEPT_EXCEPTIONS, INTERCEPT_EXCEPTIONS);
        vmcb.set(field::IO_MAP, maps::io(dom0));
        vmcb.set(field::MSR_MAP, maps::msr());
        vmcb.set(field::VIRTUAL_INTERRUPT, MASKING);
        vmcb.set(field::NESTED_ENABLE, 1);
        vmcb.set(field::NESTED_CR3, nested_root);
        Some(Box::new(Self { vmcb, asid: 0, host: 0, breakpoints: Breakpoints::new(), loaded: false, shadow_at: None }))
    }
}

impl Backend for Cpu {
    fn start(&mut self, start: Start) {
        state::set(&mut self.vmcb, start);
        self.set_cr8(0);
    }

    fn load(&mut self) {
        // Taken at the entry, with the flush that it may need: not every load leads to one.
        self.asid = 0;
        self.host = enable::host();
        self.breakpoints.load();
        self.loaded = true;
    }

    fn unload(&mut self) {
        if self.loaded {
            self.breakpoints.save();
            self.loaded = false;
        }
    }

    // SAFETY: the linker script puts the section with the rest of the code.
    #[unsafe(link_section = ".text.exit")]
    fn run(&mut self, registers: &mut Registers, flush: bool) -> Exit {
        let mut flush_all = false;
        if flush || self.asid == 0 {
            (self.asid, flush_all) = asid::fresh();
        }
        self.vmcb.set32(field::ASID, self.asid);
        self.vmcb.set32(field::TLB_CONTROL, flush_all.into());
        self.vmcb.set(field::RAX, registers.gpr[0]);
        self.vmcb.set(field::RSP, registers.gpr[4]);
        self.vmcb.set(field::RIP, registers.rip);
        self.vmcb.set(field::RFLAGS, registers.rflags);
        // SAFETY: the VMCB is ours alone and was filled above and in `new`; the nested table and the
        // maps outlive it; host state is saved and restored by VMRUN and VMLOAD from this CPU's areas.
        unsafe { entry::run(registers, self.vmcb.physical(), self.host) };
        registers.gpr[0] = self.vmcb.get(field::RAX);
        registers.gpr[4] = self.vmcb.get(field::RSP);
        registers.rip = self.vmcb.get(field::RIP);
        registers.rflags = self.vmcb.get(field::RFLAGS);
        registers.cr8 = self.vmcb.get(field::VIRTUAL_INTERRUPT) as u8 & 15;
        if self.vmcb.get(field::SHADOW) & 1 == 1 {
            self.shadow_at = Some(registers.rip);
        } else if self.shadow_at != Some(registers.rip) {
            self.shadow_at = None;
        }
        self.vmcb.set(field::EVENT_INJECTION, exits::cut_short(&self.vmcb));
        match exits::exception(&self.vmcb) {
            Some(event) => {
                self.inject(event);
                exits::NOTHING
            }
            None => exits::decode(&self.vmcb),
        }
    }

    fn can_interrupt(&self, registers: &Registers) -> bool {
        registers.rflags >> 9 & 1 == 1 && self.vmcb.get(field::SHADOW) & 1 == 0 && !self.injecting()
    }

    fn lost_shadow(&self) -> bool {
        self.shadow_at.is_some() && self.vmcb.get(field::SHADOW) & 1 == 0
    }

    fn inject(&mut self, event: Event) {
        let value = match event {
            Event::Interrupt(vector) => u64::from(vector) | 1 << 31,
            Event::Exception(vector, None) => u64::from(vector) | 3 << 8 | 1 << 31,
            Event::Exception(vector, Some(code)) => {
                u64::from(vector) | 3 << 8 | 1 << 11 | 1 << 31 | u64::from(code) << 32
            }
        };
        self.vmcb.set(field::EVENT_INJECTION, value);
    }

    fn injecting(&self) -> bool {
        self.vmcb.get(field::EVENT_INJECTION) >> 31 & 1 == 1
    }

    fn want_window(&mut self, want: bool) {
        let control = if want { MASKING | WINDOW } else { MASKING };
        self.vmcb.set(field::VIRTUAL_INTERRUPT, control | self.vmcb.get(field::VIRTUAL_INTERRUPT) & V_TPR);
        let intercept = if want { INTERCEPT_MISC1 | INTERCEPT_WINDOW } else { INTERCEPT_MISC1 };
        self.vmcb.set32(field::INTERCEPT_MISC1, intercept);
    }

    // SAFETY: the linker script puts the section with the rest of the code.
    #[unsafe(link_section = ".text.exit")]
    fn end_shadow(&mut self) {
        self.vmcb.set(field::SHADOW, 0);
        self.shadow_at = None;
        // Single-stepping traps as it would have after the real instruction.
        if self.vmcb.get(field::RFLAGS) & TRAP != 0 {
            self.vmcb.set(field::DR6, self.vmcb.get(field::DR6) | debug::SINGLE_STEP);
            self.inject(Event::Exception(1, None));
        }
    }

    // SAFETY: the linker script puts the section with the rest of the code.
    #[unsafe(link_section = ".text.exit")]
    fn mode(&self) -> Mode {
        let attributes = self.vmcb.get16(segment::CS + 2);
        let base = |offset: u64| self.vmcb.get(offset + 8);
        Mode {
            cr0: self.vmcb.get(field::CR0),
            cr3: self.vmcb.get(field::CR3),
            cr4: self.vmcb.get(field::CR4),
            efer: state::visible_efer(self.vmcb.get(field::EFER)),
            long: attributes >> 9 & 1 == 1,
            default32: attributes >> 10 & 1 == 1,
            cpl: self.vmcb.get8(field::CPL),
            bases: [
                base(segment::ES),
                base(segment::CS),
                base(segment::SS),
                base(segment::DS),
                base(segment::FS),
                base(segment::GS),
            ],
        }
    }

    fn set_efer(&mut self, value: u64) {
        self.vmcb.set(field::EFER, state::real_efer(value));
    }

    fn set_cr2(&mut self, value: u64) {
        self.vmcb.set(field::CR2, value);
    }

    fn set_cr8(&mut self, value: u8) {
        let control = self.vmcb.get(field::VIRTUAL_INTERRUPT);
        self.vmcb.set(field::VIRTUAL_INTERRUPT, control & !V_TPR | u64::from(value & 15));
    }

    fn msr(&mut self, register: u32) -> Option<u64> {
        msrs::field(register).map(|offset| self.vmcb.get(offset))
    }

    fn set_msr(&mut self, register: u32, value: u64) -> bool {
        if !msrs::accepts(register, value) {
            return false;
        }
        msrs::field(register).map(|offset| self.vmcb.set(offset, value)).is_some()
    }

    fn describe(&self, out: &mut dyn Write) {
        let get = |offset| self.vmcb.get(offset);
        let _ = write!(
            out,
            "cpu {} exit {:#x} info {:#x} {:#x} cs:rip {:#x}:{:#x} cr0 {:#x} cr2 {:#x} cr3 {:#x} cr4 {:#x} efer {:#x}",
            cpu::index(),
            get(field::EXIT_CODE),
            get(field::EXIT_INFO1),
            get(field::EXIT_INFO2),
            self.vmcb.get16(segment::CS),
            get(field::RIP),
            get(field::CR0),
            get(field::CR2),
            get(field::CR3),
            get(field::CR4),
            get(field::EFER)
        );
    }
}
