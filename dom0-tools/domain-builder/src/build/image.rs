//! The whole image of a domain.

use super::sparse::Sparse;
use super::{BuildError, Pieces, linux64, pvh, reset};
use crate::kernel::Kernel;
use crate::source::{Opened, Source};
use crate::{Domain, acpi, layout};
use abi::PAGE_SIZE;
use abi::domain::BootState;
use std::ops::Range;
use std::sync::Arc;

/// A domain's first memory and the state of its vCPU 0.
#[derive(Debug)]
pub struct Image {
    /// For the hypervisor's `SET_BOOT_STATE`.
    pub boot: BootState,
    memory: Sparse,
}

impl Image {
    /// Opens kernel and initial file system, reads their headers, and lays everything out.
    ///
    /// # Errors
    /// Says which key of the domain file is to blame.
    pub fn build(domain: &Domain) -> Result<Self, BuildError> {
        let kernel = Opened::new(&domain.kernel)
            .map_err(|error| BuildError::Kernel { path: domain.kernel.clone(), error: error.into() })?;
        let initrd = domain.initrd.as_ref().map(|path| {
            let refuse = |message: String| BuildError::Initrd { path: path.clone(), message };
            let file = Opened::new(path).map_err(|error| refuse(format!("cannot be read: {error}")))?;
            if file.size() == 0 {
                return Err(refuse("is empty".to_owned()));
            }
            Ok::<Arc<dyn Source>, _>(Arc::new(file))
        });
        Self::assemble(domain, Arc::new(kernel), initrd.transpose()?)
    }

    /// As [`Self::build`], from sources that are open already; the domain's paths are for messages only.
    ///
    /// # Errors
    /// As [`Self::build`].
    pub fn assemble(
        domain: &Domain,
        file: Arc<dyn Source>,
        initrd: Option<Arc<dyn Source>>,
    ) -> Result<Self, BuildError> {
        let kernel = Kernel::read(&*file).map_err(|error| BuildError::Kernel { path: domain.kernel.clone(), error })?;
        let len = domain.cmdline.len() as u64;
        if len > kernel.cmdline_max() {
            return Err(BuildError::Cmdline { len, max: kernel.cmdline_max() });
        }
        let place = place_initrd(&kernel, domain, initrd.as_ref().map_or(0, |initrd| initrd.size()))?;
        let initrd = initrd.map(|source| (source, &place));

        let mut memory = Sparse::default();
        memory.add_bytes("the ACPI tables", layout::ACPI, acpi::tables(domain.vcpus, domain.devices().len()))?;
        memory.add_bytes("the reset vector", layout::RESET_VECTOR, reset::vector().to_vec())?;
        memory.add_bytes("the command line", layout::CMDLINE, domain.cmdline.clone().into_bytes())?;
        let map = layout::memory_map(domain.memory);
        let range = initrd.as_ref().map(|(_, range)| *range);
        let boot = match &kernel {
            Kernel::BzImage(kernel) => {
                memory.add("the kernel", kernel.window.start, file, kernel.offset, kernel.len)?;
                linux64::add(&mut memory, kernel, &map, range)?
            }
            Kernel::Pvh(kernel) => {
                for segment in &kernel.segments {
                    memory.add("the kernel", segment.address, file.clone(), segment.offset, segment.file_len)?;
                }
                pvh::add(&mut memory, kernel, &map, range)?
            }
        };
        if let Some((source, range)) = initrd {
            memory.add("the initrd", range.start, source, 0, range.end - range.start)?;
        }
        Ok(Self { boot, memory })
    }

    /// The pages to give to the hypervisor's `LOAD`.
    #[must_use]
    pub const fn pieces(&self) -> Pieces<'_> {
        Pieces::new(&self.memory)
    }
}

/// As high as the kernel allows and below the memory's end, but above everything the kernel needs
/// to unpack itself. With `len` 0 only the kernel has to fit.
fn place_initrd(kernel: &Kernel, domain: &Domain, len: u64) -> Result<Range<u64>, BuildError> {
    let floor = kernel.window().end.next_multiple_of(PAGE_SIZE);
    let needed = floor.saturating_add(len.next_multiple_of(PAGE_SIZE));
    if needed > layout::low_end(domain.memory) && needed <= kernel.initrd_end() {
        return Err(BuildError::Memory { needed });
    }
    let end = layout::low_end(domain.memory).min(kernel.initrd_end());
    let start = end.saturating_sub(len) / PAGE_SIZE * PAGE_SIZE;
    if len > 0 && start < floor {
        let path = domain.initrd.clone().unwrap_or_default();
        let message = format!(
            "is too large: {} MiB, and this kernel takes {} MiB",
            len.div_ceil(1 << 20),
            end.saturating_sub(floor) >> 20
        );
        return Err(BuildError::Initrd { path, message });
    }
    Ok(start..start + len)
}
