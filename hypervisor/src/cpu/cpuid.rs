//! CPUID of the real CPU.

/// EAX, EBX, ECX, EDX.
#[derive(Clone, Copy, Debug, Default)]
pub struct Leaf {
    /// EAX.
    pub eax: u32,
    /// EBX.
    pub ebx: u32,
    /// ECX.
    pub ecx: u32,
    /// EDX.
    pub edx: u32,
}

/// The answer to a leaf and sub-leaf.
pub fn read(leaf: u32, subleaf: u32) -> Leaf {
    let result = core::arch::x86_64::__cpuid_count(leaf, subleaf);
    Leaf { eax: result.eax, ebx: result.ebx, ecx: result.ecx, edx: result.edx }
}

/// Highest basic leaf.
pub fn max_basic() -> u32 {
    read(0, 0).eax
}

/// Highest extended leaf.
pub fn max_extended() -> u32 {
    read(0x8000_0000, 0).eax
}

/// Bits of a physical address.
pub fn physical_bits() -> u32 {
    if max_extended() >= 0x8000_0008 { read(0x8000_0008, 0).eax & 0xff } else { 36 }
}

/// The vendor string of leaf 0.
pub fn vendor() -> [u8; 12] {
    let leaf = read(0, 0);
    let mut text = [0; 12];
    text[..4].copy_from_slice(&leaf.ebx.to_le_bytes());
    text[4..8].copy_from_slice(&leaf.edx.to_le_bytes());
    text[8..].copy_from_slice(&leaf.ecx.to_le_bytes());
    text
}
