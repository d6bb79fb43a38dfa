//! Why a guest stopped, in terms that both vendors share.

/// IN, OUT, INS or OUTS.
#[derive(Clone, Copy, Debug)]
pub struct PortAccess {
    /// The port.
    pub port: u16,
    /// Bytes: 1, 2 or 4.
    pub width: u8,
    /// OUT or OUTS.
    pub write: bool,
    /// INS or OUTS.
    pub string: bool,
    /// With a REP prefix.
    pub repeat: bool,
}

/// RDMSR or WRMSR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MsrAccess {
    /// RDMSR.
    Read,
    /// WRMSR.
    Write,
}

/// An access that the nested page table did not allow.
#[derive(Clone, Copy, Debug)]
pub struct NestedFault {
    /// Guest-physical address.
    pub address: u64,
    /// A write.
    pub write: bool,
    /// An instruction fetch.
    pub fetch: bool,
    /// A translation exists but forbids it.
    pub present: bool,
}

/// An exit. For instructions, `length` is where the next one begins, or 0 if the processor does not
/// say: then it is decoded.
#[derive(Clone, Copy, Debug)]
pub enum Exit {
    /// CPUID.
    Cpuid { length: u8 },
    /// RDMSR, WRMSR.
    Msr { access: MsrAccess, length: u8 },
    /// Port I/O; `next` is the following instruction's address.
    Port { access: PortAccess, next: u64 },
    /// HLT.
    Halt { length: u8 },
    /// VMCALL or VMMCALL.
    Hypercall { length: u8 },
    /// XSETBV.
    Xsetbv { length: u8 },
    /// INVD or WBINVD.
    CacheFlush { length: u8 },
    /// MOV to CR8, where the processor does not say which register it comes from.
    WriteCr8,
    /// RDPMC: there is no performance counter.
    CounterRead,
    /// An instruction that a guest may not use (VMX or SVM instructions, MONITOR…): #UD.
    Undefined,
    /// A nested page fault or EPT violation.
    NestedFault(NestedFault),
    /// A physical interrupt is pending (SVM) or was taken off the controller (VMX: its vector).
    Interrupt { vector: Option<u8> },
    /// A physical NMI.
    Nmi,
    /// The guest can take interrupts again.
    InterruptWindow,
    /// Triple fault.
    TripleFault,
    /// The processor refused the guest's state; the code is the vendor's.
    BadState(u64),
    /// Anything else; the code is the vendor's.
    Unknown(u64),
}
