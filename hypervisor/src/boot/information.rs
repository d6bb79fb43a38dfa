//! What the boot loader told us, copied out of its memory (multiboot2, section 3.6).

use crate::memory::direct;
use heapless::{String, Vec};
use multiboot2::{BootInformation, BootInformationHeader, MemoryAreaType};

/// What a range of physical addresses is, according to the firmware.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegionKind {
    /// Usable RAM.
    Ram,
    /// ACPI tables, reclaimable.
    AcpiTables,
    /// ACPI non-volatile storage.
    AcpiNvs,
    /// Anything else.
    Reserved,
}

/// A range of physical addresses, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// What it is.
    pub kind: RegionKind,
}

/// A file that the loader put into memory.
#[derive(Clone, Debug)]
pub struct Module {
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// First word of its command line: `kernel`, `initrd` or `overlay`.
    pub role: String<16>,
    /// The rest of its command line.
    pub arguments: String<1024>,
}

/// Everything that is used of the boot information.
pub struct Information {
    /// The hypervisor's command line.
    pub command_line: String<1024>,
    /// The firmware's memory map, in its order.
    pub regions: Vec<Region, 64>,
    /// Modules, in the order of the loader's configuration.
    pub modules: Vec<Module, 4>,
    /// A copy of the RSDP, if the loader passed one, and its length.
    pub rsdp: Option<([u8; 36], bool)>,
}

/// What a module can be.
const ROLES: [&str; 3] = ["kernel", "initrd", "overlay"];

/// Magic value in EAX at entry.
const MAGIC: u32 = 0x36d7_6289;

impl Information {
    /// Reads the boot information at physical address `address`; the error is for the console.
    pub fn read(magic: u32, address: u64) -> Result<Self, &'static str> {
        if magic != MAGIC {
            return Err("not started by a multiboot2 loader (use GRUB's multiboot2 command)");
        }
        let pointer = direct::pointer(address).cast::<BootInformationHeader>();
        // SAFETY: the loader passed this address with its magic value; the structure is below
        // 4 GiB (a 32-bit register) and so in the boot map; nobody writes to it.
        let mbi =
            unsafe { BootInformation::load(pointer) }.map_err(|_| "the loader's multiboot2 information is damaged")?;
        let mut this = Self { command_line: String::new(), regions: Vec::new(), modules: Vec::new(), rsdp: None };
        if let Some(tag) = mbi.command_line_tag() {
            let text = tag.cmdline().map_err(|_| "the command line is not UTF-8")?;
            this.command_line.push_str(text).map_err(|_| "the command line is longer than 1024 bytes")?;
        }
        let map = mbi.memory_map_tag().ok_or("the loader gave no memory map")?;
        for area in map.memory_areas() {
            let kind = match area.typ() {
                MemoryAreaType::Available => RegionKind::Ram,
                MemoryAreaType::AcpiAvailable => RegionKind::AcpiTables,
                MemoryAreaType::ReservedHibernate => RegionKind::AcpiNvs,
                _ => RegionKind::Reserved,
            };
            let start = area.start_address();
            let end = start.saturating_add(area.size()).min(1 << 52);
            if start < end {
                let region = Region { start, end, kind };
                this.regions.push(region).map_err(|_| "the memory map has more than 64 entries")?;
            }
        }
        for tag in mbi.module_tags() {
            let line = tag.cmdline().unwrap_or("");
            let (role, arguments) = line.split_once(' ').unwrap_or((line, ""));
            // A role of ours is shorter than what is cut off here.
            let mut known = String::new();
            let _ = role.chars().try_for_each(|letter| known.push(letter));
            let module = Module {
                start: tag.start_address().into(),
                end: tag.end_address().into(),
                role: known,
                arguments: String::try_from(arguments.trim())
                    .map_err(|_| "a module's command line is longer than 1024 bytes")?,
            };
            this.modules.push(module).map_err(|_| "more than 4 modules")?;
        }
        this.rsdp = rsdp(&mbi);
        Ok(this)
    }

    /// Roles of modules that mean nothing here.
    pub fn strange_roles(&self) -> impl Iterator<Item = &str> {
        self.modules.iter().map(|module| module.role.as_str()).filter(|role| !ROLES.contains(role))
    }

    /// The first module with this role.
    pub fn module(&self, role: &str) -> Option<&Module> {
        self.modules.iter().find(|module| module.role == role)
    }
}

/// The RSDP as the loader copied it: its bytes, and whether it is of revision 2.
fn rsdp(mbi: &BootInformation<'_>) -> Option<([u8; 36], bool)> {
    let mut bytes = [0u8; 36];
    let (start, len, revision2) = if let Some(tag) = mbi.rsdp_v2_tag() {
        (core::ptr::from_ref(tag).addr() + 8, 36, true)
    } else if let Some(tag) = mbi.rsdp_v1_tag() {
        (core::ptr::from_ref(tag).addr() + 8, 20, false)
    } else {
        return None;
    };
    direct::read_bytes(direct::physical(start), &mut bytes[..len]);
    Some((bytes, revision2))
}
