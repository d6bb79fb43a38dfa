//! The virtual machine control block: a frame of fields (APM vol. 2, appendix B).

use crate::memory::direct;
use core::ptr::with_exposed_provenance_mut;
use paging::Mfn;

/// Offsets of fields, in bytes.
#[allow(missing_docs)]
pub mod field {
    pub const INTERCEPT_CR: u64 = 0x000;
    pub const INTERCEPT_EXCEPTIONS: u64 = 0x008;
    pub const INTERCEPT_MISC1: u64 = 0x00c;
    pub const INTERCEPT_MISC2: u64 = 0x010;
    pub const IO_MAP: u64 = 0x040;
    pub const MSR_MAP: u64 = 0x048;
    pub const ASID: u64 = 0x058;
    pub const TLB_CONTROL: u64 = 0x05c;
    pub const VIRTUAL_INTERRUPT: u64 = 0x060;
    pub const SHADOW: u64 = 0x068;
    pub const EXIT_CODE: u64 = 0x070;
    pub const EXIT_INFO1: u64 = 0x078;
    pub const EXIT_INFO2: u64 = 0x080;
    pub const EXIT_INT_INFO: u64 = 0x088;
    pub const NESTED_ENABLE: u64 = 0x090;
    pub const EVENT_INJECTION: u64 = 0x0a8;
    pub const NESTED_CR3: u64 = 0x0b0;
    pub const NEXT_RIP: u64 = 0x0c8;
    pub const CPL: u64 = 0x4cb;
    pub const EFER: u64 = 0x4d0;
    pub const CR4: u64 = 0x548;
    pub const CR3: u64 = 0x550;
    pub const CR0: u64 = 0x558;
    pub const DR7: u64 = 0x560;
    pub const DR6: u64 = 0x568;
    pub const RFLAGS: u64 = 0x570;
    pub const RIP: u64 = 0x578;
    pub const RSP: u64 = 0x5d8;
    pub const RAX: u64 = 0x5f8;
    pub const STAR: u64 = 0x600;
    pub const LSTAR: u64 = 0x608;
    pub const CSTAR: u64 = 0x610;
    pub const SFMASK: u64 = 0x618;
    pub const KERNEL_GS_BASE: u64 = 0x620;
    pub const SYSENTER_CS: u64 = 0x628;
    pub const SYSENTER_ESP: u64 = 0x630;
    pub const SYSENTER_EIP: u64 = 0x638;
    pub const CR2: u64 = 0x640;
    pub const PAT: u64 = 0x668;
}

/// Offsets of segment registers: selector (16), attributes (16), limit (32), base (64).
#[allow(missing_docs)]
pub mod segment {
    pub const ES: u64 = 0x400;
    pub const CS: u64 = 0x410;
    pub const SS: u64 = 0x420;
    pub const DS: u64 = 0x430;
    pub const FS: u64 = 0x440;
    pub const GS: u64 = 0x450;
    pub const GDTR: u64 = 0x460;
    pub const LDTR: u64 = 0x470;
    pub const IDTR: u64 = 0x480;
    pub const TR: u64 = 0x490;
}

/// A VMCB, owned. Fields are read and written through the direct map: hardware writes them too.
pub struct Vmcb {
    physical: u64,
    address: usize,
}

macro_rules! access {
    ($read:ident, $write:ident, $type:ty) => {
        #[doc = concat!("Reads a field of type ", stringify!($type), ".")]
        #[allow(dead_code)] // the set is complete, whichever width is read
        pub fn $read(&self, offset: u64) -> $type {
            // SAFETY: the frame is this VMCB's; offsets are this module's constants, aligned to their type.
            unsafe { self.pointer(offset).cast::<$type>().read_volatile() }
        }
        #[doc = concat!("Writes a field of type ", stringify!($type), ".")]
        pub fn $write(&mut self, offset: u64, value: $type) {
            // SAFETY: as above; the CPU is not in this guest while we hold it mutably.
            unsafe { self.pointer(offset).cast::<$type>().write_volatile(value) }
        }
    };
}

impl Vmcb {
    /// Over a zeroed frame that nobody else uses.
    pub fn new(frame: Mfn) -> Self {
        let physical = frame.0 << 12;
        Self { physical, address: direct::pointer(physical).expose_provenance() }
    }

    /// Where a field is. Checked once, in `new`: this is in the way of every exit.
    fn pointer(&self, offset: u64) -> *mut u8 {
        with_exposed_provenance_mut(self.address + offset as usize)
    }

    /// Its physical address.
    pub fn physical(&self) -> u64 {
        self.physical
    }

    access!(get, set, u64);
    access!(get32, set32, u32);
    access!(get16, set16, u16);
    access!(get8, set8, u8);

    /// Sets a segment register.
    pub fn set_segment(&mut self, segment: u64, selector: u16, attributes: u16, limit: u32, base: u64) {
        self.set16(segment, selector);
        self.set16(segment + 2, attributes);
        self.set32(segment + 4, limit);
        self.set(segment + 8, base);
    }
}

impl Drop for Vmcb {
    fn drop(&mut self) {
        crate::memory::frames::free_own(Mfn(self.physical >> 12));
    }
}
