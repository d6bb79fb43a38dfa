//! Which ports and MSRs exit (SDM vol. 3, 25.6.4 and 25.6.9): constants of the image, shared by all
//! guests and read by hardware only.

use crate::cpu::register::msr;
use crate::memory::direct;

#[repr(C, align(4096))]
struct Bitmap([u8; 4096]);

static MSR: Bitmap = Bitmap(intercepted_msrs());
static IO: [Bitmap; 2] = [Bitmap(intercepted_ports(0)), Bitmap(intercepted_ports(0x8000))];

/// MSRs that guests use directly: swapped by VM entry and exit ([`msr::FS_BASE`] to SYSENTER) or by
/// [`super::swapped`], or harmless to read.
const DIRECT: [u32; 10] = [
    msr::FS_BASE,
    msr::GS_BASE,
    msr::KERNEL_GS_BASE,
    msr::STAR,
    msr::LSTAR,
    msr::CSTAR,
    msr::SFMASK,
    msr::SYSENTER_CS,
    msr::SYSENTER_ESP,
    msr::SYSENTER_EIP,
];

/// Four kilobytes: reads of low and high MSRs, then writes of low and high ones.
const fn intercepted_msrs() -> [u8; 4096] {
    let mut map = [0xff; 4096];
    let mut index = 0;
    while index < DIRECT.len() {
        clear(&mut map, DIRECT[index], 0);
        clear(&mut map, DIRECT[index], 2048);
        index += 1;
    }
    clear(&mut map, msr::TSC, 0);
    map
}

const fn clear(map: &mut [u8; 4096], register: u32, half: usize) {
    let (base, number) = if register >= 0xc000_0000 { (1024, register - 0xc000_0000) } else { (0, register) };
    map[half + base + number as usize / 8] &= !(1 << (number % 8));
}

/// The half of the port bitmap that starts at port `first`.
const fn intercepted_ports(first: usize) -> [u8; 4096] {
    let mut map = [0; 4096];
    let ranges = crate::dom0::INTERCEPTED_PORTS;
    let mut index = 0;
    while index < ranges.len() {
        let mut port = *ranges[index].start() as usize;
        while port <= *ranges[index].end() as usize {
            if port >= first && port < first + 0x8000 {
                map[(port - first) / 8] |= 1 << (port % 8);
            }
            port += 1;
        }
        index += 1;
    }
    map
}

/// Physical address of the MSR bitmap.
pub fn msr() -> u64 {
    direct::physical((&raw const MSR).addr())
}

/// Physical addresses of dom0's port bitmaps A and B.
pub fn io() -> [u64; 2] {
    let [low, high] = &IO;
    [direct::physical((&raw const *low).addr()), direct::physical((&raw const *high).addr())]
}
