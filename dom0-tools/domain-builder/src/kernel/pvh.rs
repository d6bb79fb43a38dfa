//! ELF kernels with a PVH entry (Xen, docs/misc/pvh.pandoc and public/elfnote.h).

use super::error::{KernelError, require};
use crate::layout::KERNEL_MIN;
use crate::source::Source;
use abi::platform::LOW_RAM_END;
use elf::abi::{EM_386, EM_X86_64, ET_DYN, ET_EXEC, PT_LOAD, PT_NOTE};
use elf::endian::LittleEndian;
use elf::file::{Class, FileHeader, parse_ident};
use elf::note::{Note, NoteIterator};
use elf::parse::ParseError;
use elf::segment::{ProgramHeader, SegmentTable};
use std::ops::Range;

/// A kernel whose headers were checked.
#[derive(Clone, Debug)]
pub struct Pvh {
    /// First instruction: 32-bit protected mode, paging off.
    pub entry: u64,
    /// What to load, ascending, without overlap.
    pub segments: Vec<Segment>,
    /// From the first to the last byte of all segments.
    pub window: Range<u64>,
}

/// A loadable segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Guest-physical address.
    pub address: u64,
    /// Bytes in memory; those beyond `file_len` are zero.
    pub len: u64,
    /// Offset in the file.
    pub offset: u64,
    /// Bytes in the file.
    pub file_len: u64,
}

const XEN_ELFNOTE_PHYS32_ENTRY: u64 = 18;
const IDENT: usize = 16;
const MAX_HEADERS: u16 = 128;
const MAX_NOTES: u64 = 64 << 10;

impl Pvh {
    /// Reads and checks the headers and notes.
    ///
    /// # Errors
    /// Names the field.
    pub fn read(file: &dyn Source) -> Result<Self, KernelError> {
        let header = file_header(file)?;
        let headers = program_headers(file, &header)?;
        let mut segments = Vec::new();
        let mut entry = None;
        for header in &headers {
            match header.p_type {
                PT_LOAD if header.p_memsz > 0 => segments.push(segment(file, header)?),
                PT_NOTE if entry.is_none() => entry = find_entry(file, header)?,
                _ => {}
            }
        }
        let entry =
            entry.ok_or(KernelError::Unsupported("the ELF file has no PVH entry note (XEN_ELFNOTE_PHYS32_ENTRY)"))?;
        segments.sort_by_key(|s| s.address);
        for pair in segments.windows(2) {
            if let [one, two] = pair {
                require(one.address + one.len <= two.address, "p_paddr", two.address, "segments must not overlap")?;
            }
        }
        let inside = segments.iter().any(|s| (s.address..s.address + s.file_len).contains(&entry));
        require(inside, "the PVH entry", entry, "it must lie in a loaded segment")?;
        let start = segments.first().map_or(0, |s| s.address);
        let end = segments.last().map_or(0, |s| s.address + s.len);
        Ok(Self { entry, segments, window: start..end })
    }
}

/// A header that the ELF parser refused: its own message has no field, so the caller names it.
fn broken(field: &'static str) -> impl Fn(ParseError) -> KernelError {
    move |_| KernelError::Field { field, value: 0, rule: "it cannot be parsed" }
}

fn file_header(file: &dyn Source) -> Result<FileHeader<LittleEndian>, KernelError> {
    let mut bytes = [0; 64];
    let len = usize::try_from(file.size().min(64)).unwrap_or(64);
    let (ident, tail) = bytes.split_at_mut(IDENT);
    let Some(rest) = len.checked_sub(IDENT) else { return Err(KernelError::NotAKernel) };
    file.read_at(0, ident)?;
    file.read_at(IDENT as u64, tail.get_mut(..rest).unwrap_or_default())?;
    let ident = parse_ident::<LittleEndian>(ident).map_err(broken("e_ident"))?;
    let header = FileHeader::parse_tail(ident, tail).map_err(broken("the ELF header"))?;
    let machine = header.e_machine;
    require(matches!(machine, EM_X86_64 | EM_386), "e_machine", machine.into(), "it must be x86")?;
    require(matches!(header.e_type, ET_EXEC | ET_DYN), "e_type", header.e_type.into(), "it must be executable")?;
    Ok(header)
}

fn program_headers(file: &dyn Source, header: &FileHeader<LittleEndian>) -> Result<Vec<ProgramHeader>, KernelError> {
    let count = header.e_phnum;
    require((1..=MAX_HEADERS).contains(&count), "e_phnum", count.into(), "there must be 1 to 128 program headers")?;
    let size: u16 = if header.class == Class::ELF64 { 56 } else { 32 };
    require(
        header.e_phentsize == size,
        "e_phentsize",
        header.e_phentsize.into(),
        "it must be the size of a program header",
    )?;
    let bytes = read(file, header.e_phoff, u64::from(count) * u64::from(size))?;
    let table = SegmentTable::new(LittleEndian, header.class, &bytes);
    (0..usize::from(count)).map(|n| table.get(n).map_err(broken("a program header"))).collect()
}

fn segment(file: &dyn Source, header: &ProgramHeader) -> Result<Segment, KernelError> {
    let (address, len) = (header.p_paddr, header.p_memsz);
    let inside = address >= KERNEL_MIN && address.checked_add(len).is_some_and(|end| end <= LOW_RAM_END);
    require(inside, "p_paddr", address, "segments must lie between 1 MiB and 3 GiB")?;
    require(header.p_filesz <= len, "p_filesz", header.p_filesz, "it must not be more than p_memsz")?;
    let end = header.p_offset.saturating_add(header.p_filesz);
    if end > file.size() {
        return Err(KernelError::Cut { needed: end, size: file.size() });
    }
    Ok(Segment { address, len, offset: header.p_offset, file_len: header.p_filesz })
}

fn find_entry(file: &dyn Source, header: &ProgramHeader) -> Result<Option<u64>, KernelError> {
    require(header.p_filesz <= MAX_NOTES, "p_filesz", header.p_filesz, "notes must not be larger than 64 KiB")?;
    let bytes = read(file, header.p_offset, header.p_filesz)?;
    let align = if header.p_align == 8 { 8 } else { 4 };
    // The class is not used for notes: their header has 32-bit fields in both.
    for note in NoteIterator::new(LittleEndian, Class::ELF32, align, &bytes) {
        let Note::Unknown(note) = note else { continue };
        if note.n_type != XEN_ELFNOTE_PHYS32_ENTRY || note.name_str().ok() != Some("Xen") {
            continue;
        }
        let entry = match *note.desc {
            [a, b, c, d] | [a, b, c, d, 0, 0, 0, 0] => u32::from_le_bytes([a, b, c, d]),
            _ => {
                let rule = "the address must have 4 bytes, or 8 of which the upper 4 are 0";
                return Err(KernelError::Field { field: "the PVH note's length", value: note.desc.len() as u64, rule });
            }
        };
        return Ok(Some(entry.into()));
    }
    Ok(None)
}

/// Reads a bounded number of bytes. The caller has bounded `len`.
fn read(file: &dyn Source, offset: u64, len: u64) -> Result<Vec<u8>, KernelError> {
    let end = offset.saturating_add(len);
    if end > file.size() {
        return Err(KernelError::Cut { needed: end, size: file.size() });
    }
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
    file.read_at(offset, &mut bytes)?;
    Ok(bytes)
}
