//! The VMX instructions, each with its outcome taken from the flags in the same block of assembly
//! (SDM vol. 3, 31.2): CF for "no current VMCS", ZF for an error number in the current VMCS.

use core::arch::asm;

/// A VMX instruction refused; the number, if there is one, is in the VMCS.
#[derive(Clone, Copy, Debug)]
pub struct Refused;

/// Instructions with one 64-bit memory operand that holds a physical address.
macro_rules! on_region {
    ($name:ident, $text:literal, $doc:literal) => {
        #[doc = $doc]
        ///
        /// # Safety
        /// `region` is a frame that belongs to the processor's VMX structures only.
        pub unsafe fn $name(region: u64) -> Result<(), Refused> {
            let refused: u8;
            // SAFETY: passed on to the caller; the operand lives across the instruction.
            unsafe {
                asm!(concat!($text, " qword ptr [{operand}]"), "setna {refused}",
                    operand = in(reg) &raw const region, refused = out(reg_byte) refused, options(nostack));
            }
            if refused == 0 { Ok(()) } else { Err(Refused) }
        }
    };
}
on_region!(vmxon, "vmxon", "Enters VMX operation with this VMXON region.");
on_region!(vmclear, "vmclear", "Writes a VMCS back to memory and makes it inactive and clear.");
on_region!(vmptrld, "vmptrld", "Makes a VMCS active and current.");

/// Reads a field of the current VMCS.
pub fn vmread(field: u32) -> Result<u64, Refused> {
    let (value, refused): (u64, u8);
    // SAFETY: VMREAD changes the output register and flags only; refused without a current VMCS.
    unsafe {
        asm!("vmread {value}, {field}", "setna {refused}",
            value = out(reg) value, field = in(reg) u64::from(field), refused = out(reg_byte) refused, options(nostack));
    }
    if refused == 0 { Ok(value) } else { Err(Refused) }
}

/// Writes a field of the current VMCS.
///
/// # Safety
/// The value must not let a guest, or the host state after an exit, break the hypervisor's memory.
pub unsafe fn vmwrite(field: u32, value: u64) -> Result<(), Refused> {
    let refused: u8;
    // SAFETY: passed on to the caller.
    unsafe {
        asm!("vmwrite {field}, {value}", "setna {refused}",
            value = in(reg) value, field = in(reg) u64::from(field), refused = out(reg_byte) refused, options(nostack));
    }
    if refused == 0 { Ok(()) } else { Err(Refused) }
}

/// INVEPT or INVVPID with a 16-byte descriptor.
macro_rules! invalidate {
    ($name:ident, $text:literal, $doc:literal) => {
        #[doc = $doc]
        pub fn $name(kind: u64, descriptor: [u64; 2]) -> Result<(), Refused> {
            let refused: u8;
            // SAFETY: dropping cached translations is always sound; the descriptor lives across it.
            unsafe {
                asm!(concat!($text, " {kind}, xmmword ptr [{operand}]"), "setna {refused}",
                    kind = in(reg) kind, operand = in(reg) &raw const descriptor, refused = out(reg_byte) refused, options(nostack));
            }
            if refused == 0 { Ok(()) } else { Err(Refused) }
        }
    };
}
invalidate!(invept, "invept", "Drops translations that came from extended page tables.");
invalidate!(invvpid, "invvpid", "Drops translations of linear addresses by virtual-processor identifier.");
