//! What a guest may do by itself and what exits: the settings of the control fields
//! (SDM vol. 3, 25.6 to 25.8).

use super::caps::settle;
use super::vmcs::Current;
use super::{bitmaps, control};
use crate::cpu::{register, time};
use x86::msr as number;
use x86::vmx::vmcs::control::{
    EntryControls, ExitControls, PinbasedControls as Pin, PrimaryControls as Primary, SecondaryControls as Secondary,
};
use x86::vmx::vmcs::{control as field, guest};

/// #DB and #AC: their delivery can be made to repeat for ever (CVE-2015-8104, CVE-2015-5307), so it
/// is ours to interrupt. #MC is the machine's, not the guest's.
const EXCEPTIONS: u32 = 1 << 1 | 1 << 17 | 1 << 18;

/// Longest stay in a guest, in nanoseconds. Physical interrupts end it sooner, but not on Bochs 2.7 while a guest
/// that was entered with interrupts off keeps them off: then timers and shoot-downs wait for this.
const LONGEST_STAY: u64 = 1_000_000;

/// Values of the control fields, settled for this processor.
pub struct Controls {
    pin: u32,
    /// Without interrupt-window exiting, which comes and goes.
    pub primary: u32,
    secondary: u32,
    exit: u32,
    entry: u32,
}

impl Controls {
    /// The settings for dom0 or a guest, or what this processor lacks for them.
    pub fn settle(dom0: bool) -> Result<Self, &'static str> {
        // A pin-based external-interrupt exit acknowledges the interrupt: the vector comes with the exit.
        let pin = Pin::EXTERNAL_INTERRUPT_EXITING | Pin::NMI_EXITING | Pin::VIRTUAL_NMIS;
        let ports = if dom0 { Primary::USE_IO_BITMAPS } else { Primary::UNCOND_IO_EXITING };
        let primary = ports
            | Primary::HLT_EXITING
            | Primary::MWAIT_EXITING
            | Primary::MONITOR_EXITING
            | Primary::RDPMC_EXITING
            | Primary::CR8_LOAD_EXITING
            | Primary::CR8_STORE_EXITING
            | Primary::USE_MSR_BITMAPS
            | Primary::SECONDARY_CONTROLS;
        let comfort = Secondary::ENABLE_RDTSCP | Secondary::ENABLE_INVPCID | Secondary::ENABLE_XSAVES_XRSTORS;
        let exit = ExitControls::SAVE_DEBUG_CONTROLS
            | ExitControls::HOST_ADDRESS_SPACE_SIZE
            | ExitControls::ACK_INTERRUPT_ON_EXIT
            | ExitControls::SAVE_IA32_PAT
            | ExitControls::LOAD_IA32_PAT
            | ExitControls::SAVE_IA32_EFER
            | ExitControls::LOAD_IA32_EFER;
        let entry = EntryControls::LOAD_DEBUG_CONTROLS | EntryControls::LOAD_IA32_PAT | EntryControls::LOAD_IA32_EFER;

        let primary = settle(number::IA32_VMX_TRUE_PROCBASED_CTLS, primary.bits(), 0)
            .ok_or("the processor's VMX has no MSR bitmaps or no secondary controls")?;
        let secondary = |demanded: Secondary, wished: Secondary| {
            settle(number::IA32_VMX_PROCBASED_CTLS2, demanded.bits(), wished.bits())
        };
        secondary(Secondary::ENABLE_EPT, Secondary::empty())
            .ok_or("the processor has no extended page tables (EPT)")?;
        secondary(Secondary::UNRESTRICTED_GUEST, Secondary::empty())
            .ok_or("the processor has no \"unrestricted guest\" mode (a Westmere or newer has it)")?;
        let demanded =
            Secondary::ENABLE_EPT | Secondary::UNRESTRICTED_GUEST | Secondary::ENABLE_VPID | Secondary::WBINVD_EXITING;
        Ok(Self {
            pin: settle(number::IA32_VMX_TRUE_PINBASED_CTLS, pin.bits(), Pin::VMX_PREEMPTION_TIMER.bits())
                .ok_or("the processor's VMX has no virtual NMIs")?,
            primary,
            secondary: secondary(demanded, comfort).ok_or("the processor's VMX has no VPID or no WBINVD exits")?,
            exit: settle(number::IA32_VMX_TRUE_EXIT_CTLS, exit.bits(), 0)
                .ok_or("the processor's VM exits do not switch EFER and PAT")?,
            entry: settle(number::IA32_VMX_TRUE_ENTRY_CTLS, entry.bits(), 0)
                .ok_or("the processor's VM entries do not load EFER and PAT")?,
        })
    }

    /// Writes the control fields, but for those that belong to translation and to events.
    pub fn write(&self, vmcs: &Current<'_>, dom0: bool) {
        vmcs.write(field::PINBASED_EXEC_CONTROLS, self.pin.into());
        vmcs.write(field::PRIMARY_PROCBASED_EXEC_CONTROLS, self.primary.into());
        vmcs.write(field::SECONDARY_PROCBASED_EXEC_CONTROLS, self.secondary.into());
        vmcs.write(field::VMEXIT_CONTROLS, self.exit.into());
        vmcs.write(field::VMENTRY_CONTROLS, self.entry.into());
        vmcs.write(field::EXCEPTION_BITMAP, EXCEPTIONS.into());
        vmcs.write(field::MSR_BITMAPS_ADDR_FULL, bitmaps::msr());
        if dom0 {
            let [low, high] = bitmaps::io();
            vmcs.write(field::IO_BITMAP_A_ADDR_FULL, low);
            vmcs.write(field::IO_BITMAP_B_ADDR_FULL, high);
        }
        if self.pin & Pin::VMX_PREEMPTION_TIMER.bits() != 0 {
            // Counts down at the TSC's rate, shifted (SDM vol. 3, A.6); loaded anew at each entry.
            let shift = register::read_msr(number::IA32_VMX_MISC) & 0x1f;
            vmcs.write(guest::VMX_PREEMPTION_TIMER_VALUE, (time::ns_to_ticks(LONGEST_STAY) >> shift).max(1));
        }
        if self.secondary & Secondary::ENABLE_XSAVES_XRSTORS.bits() != 0 {
            vmcs.write(field::XSS_EXITING_BITMAP_FULL, 0);
        }
        vmcs.write(field::CR0_GUEST_HOST_MASK, control::CR0_OURS);
        vmcs.write(field::CR4_GUEST_HOST_MASK, control::CR4_OURS);
        for none in [
            field::PAGE_FAULT_ERR_CODE_MASK,
            field::PAGE_FAULT_ERR_CODE_MATCH,
            field::CR3_TARGET_COUNT,
            field::VMEXIT_MSR_STORE_COUNT,
            field::VMEXIT_MSR_LOAD_COUNT,
            field::VMENTRY_MSR_LOAD_COUNT,
        ] {
            vmcs.write(none, 0);
        }
    }
}
