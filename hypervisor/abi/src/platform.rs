//! The machine that a guest sees (not dom0, which sees the real one).
//!
//! x2APIC only, one IO-APIC, virtio-mmio devices, a 16550 for early output, the KVM
//! paravirtual CPUID leaves and clock, ACPI hardware-reduced power-off and reset. No PCI, PIC, PIT, RTC.

/// RAM starts at 0 and goes up to here at most; the rest continues at [`HIGH_RAM`].
pub const LOW_RAM_END: u64 = 0xc000_0000;
/// Where RAM goes on when a guest has more than fits below [`LOW_RAM_END`].
pub const HIGH_RAM: u64 = 0x1_0000_0000;

/// First virtio-mmio device; slot `n` is at `VIRTIO_BASE + n * VIRTIO_STRIDE`.
pub const VIRTIO_BASE: u64 = 0xd000_0000;
/// Distance between virtio-mmio devices and size of each, in bytes.
pub const VIRTIO_STRIDE: u64 = 0x1000;
/// Slots for virtio-mmio devices.
pub const VIRTIO_SLOTS: u32 = 16;
/// Interrupt (IO-APIC input) of slot 0; slot `n` has `VIRTIO_GSI + n`. Edge triggered, active high.
pub const VIRTIO_GSI: u32 = 6;

/// IO-APIC registers (one page).
pub const IOAPIC_BASE: u64 = 0xfec0_0000;
/// Inputs of the IO-APIC.
pub const IOAPIC_PINS: u32 = 24;
/// Identifier of the IO-APIC.
pub const IOAPIC_ID: u8 = 0;

/// 16550 with 8 registers; its interrupt is [`UART_GSI`] (edge).
pub const UART_PORT: u16 = 0x3f8;
/// Interrupt of the 16550.
pub const UART_GSI: u32 = 4;

/// ACPI sleep control register (FADT SLEEP_CONTROL_REG): writing SLP_EN (bit 5) powers off.
pub const SLEEP_CONTROL_PORT: u16 = 0x604;
/// ACPI sleep status register.
pub const SLEEP_STATUS_PORT: u16 = 0x605;
/// ACPI reset register (FADT RESET_REG): writing [`RESET_VALUE`] resets.
pub const RESET_PORT: u16 = 0x606;
/// Value of the reset register that resets.
pub const RESET_VALUE: u8 = 1;
/// Test guests: a 32-bit write ends the domain with reason GUEST_EXIT and this code.
pub const EXIT_PORT: u16 = 0xf4;
/// Debug console: a written byte is output like the 16550's; a read gives 0xe9.
pub const DEBUG_PORT: u16 = 0xe9;

/// Interrupt of the ACPI generic event device (edge); see [`EVENT_PORT`].
pub const EVENT_GSI: u32 = 5;
/// A read gives and clears the pending events: bit 0 power button.
pub const EVENT_PORT: u16 = 0x608;

/// Base of the hypervisor's CPUID leaves for domains: KVM's signature, as stock Linux expects.
pub const CPUID_KVM: u32 = 0x4000_0000;
/// Our own CPUID leaves: signature "HypercubeHyp" (EBX, ECX, EDX), EAX the highest of them.
pub const CPUID_OWN: u32 = 0x4000_0100;
/// Signature at [`CPUID_OWN`].
pub const CPUID_OWN_SIGNATURE: &[u8; 12] = b"HypercubeHyp";

/// Hypercalls of our own (VMCALL or VMMCALL with this in RAX): result in RAX. 0: nothing, returns 0.
pub const HYPERCALL_NOP: u64 = 0x4843_0000;

/// virtio device id of a block device.
pub const VIRTIO_BLOCK: u32 = 2;
/// virtio device id of a console.
pub const VIRTIO_CONSOLE: u32 = 3;
/// virtio device id of an entropy source.
pub const VIRTIO_ENTROPY: u32 = 4;
/// virtio device id of a memory balloon. The hypervisor itself is its device side.
pub const VIRTIO_BALLOON: u32 = 5;
