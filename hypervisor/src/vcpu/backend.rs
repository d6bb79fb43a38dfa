//! What a vendor's implementation of virtual processors provides.

use super::{Exit, Registers};

/// Where a vCPU begins.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    /// 64-bit mode, paging on at `cr3`, flat segments (CS 0x10, DS and SS 0x18), interrupts off.
    Long64 { cr3: u64 },
    /// 32-bit protected mode, paging off, flat segments (CS 0x08, DS and SS 0x10), interrupts off.
    Protected32,
    /// Real mode at `page` << 12, as after a start-up interrupt.
    Startup { page: u8 },
}

/// What is put into a guest at the next entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// An external interrupt.
    Interrupt(u8),
    /// A fault with its error code, where the vector has one.
    Exception(u8, Option<u32>),
}

/// The processor mode, as decoding and address translation need it.
#[derive(Clone, Copy, Debug)]
pub struct Mode {
    /// CR0.
    pub cr0: u64,
    /// CR3.
    pub cr3: u64,
    /// CR4.
    pub cr4: u64,
    /// EFER.
    pub efer: u64,
    /// CS.L: 64-bit code.
    pub long: bool,
    /// CS.D: 32-bit code.
    pub default32: bool,
    /// Current privilege level.
    pub cpl: u8,
    /// Bases of es, cs, ss, ds, fs, gs.
    pub bases: [u64; 6],
}

/// One vCPU on one vendor's hardware. Used by one physical CPU at a time.
pub trait Backend: Send {
    /// Puts the vCPU into its start state (all but `Registers`, which the caller sets).
    fn start(&mut self, start: Start);

    /// Makes the calling physical CPU the vCPU's: called when it begins to run there, whether or
    /// not it ran there before.
    fn load(&mut self);

    /// The vCPU leaves the calling physical CPU (VMCLEAR; nothing on SVM).
    fn unload(&mut self);

    /// Enters the guest until its next exit. `flush`: drop all cached translations of the guest
    /// first. Interrupts are off before and after; physical ones that arrive end the run.
    fn run(&mut self, registers: &mut Registers, flush: bool) -> Exit;

    /// True if an external interrupt can be injected now (no interrupt shadow, IF set, nothing
    /// else waiting to be injected).
    fn can_interrupt(&self, registers: &Registers) -> bool;

    /// True if an exit was inside an interrupt shadow and the guest is still at that instruction, though the
    /// processor has forgotten the shadow at the last entry (QEMU's TCG does).
    fn lost_shadow(&self) -> bool;

    /// Injects at the next entry.
    fn inject(&mut self, event: Event);

    /// True if an event (also one whose delivery was cut short by an exit) waits for the next entry.
    fn injecting(&self) -> bool;

    /// Asks for [`Exit::InterruptWindow`] as soon as interrupts can be taken, or no more.
    fn want_window(&mut self, want: bool);

    /// After an instruction was emulated or skipped: ends an interrupt shadow.
    fn end_shadow(&mut self);

    /// The processor mode.
    fn mode(&self) -> Mode;

    /// Sets EFER as a guest's WRMSR asks (already checked by the caller).
    fn set_efer(&mut self, value: u64);

    /// Sets CR2, before a page fault is injected.
    fn set_cr2(&mut self, value: u64);

    /// Sets CR8 (0 to 15): the task priority was written in the local APIC.
    fn set_cr8(&mut self, value: u8);

    /// Reads an MSR that the back end keeps for the guest (FS, GS and kernel GS base, STAR, LSTAR, CSTAR, SFMASK,
    /// SYSENTER, PAT); `None` for others.
    fn msr(&mut self, register: u32) -> Option<u64>;

    /// Writes such an MSR; false for others and for values that hardware would refuse.
    fn set_msr(&mut self, register: u32, value: u64) -> bool;

    /// A line for crash and end records.
    fn describe(&self, out: &mut dyn core::fmt::Write);
}
