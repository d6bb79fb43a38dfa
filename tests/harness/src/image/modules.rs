//! Kernel modules and what they depend on, from the kernel package's `modules.dep`.

use super::archive::Archive;
use crate::setup::Kernel;
use anyhow::{Context, Result, bail};
use std::{collections::HashMap, fs};

/// Read by init (dom0) and by the guest's script: module paths in loading order.
const LOAD_LIST: &str = "lib/modules/load.list";

/// How a signed module ends, and the bytes before that which tell of the signature.
const SIGNED: &[u8] = b"~Module signature appended~\n";
const SIGNATURE_INFO: usize = 12;

/// Modules by what becomes of them.
pub struct Wanted<'a> {
    /// Loaded at boot, in this order.
    pub load: &'a [&'a str],
    /// Only present, for modprobe.
    pub present: &'a [&'a str],
}

/// Adds modules, their dependencies and modprobe's tables. Kernels differ in what they have built
/// in or leave out, so a name that is no module of this kernel is passed over; a broken table is an error.
pub fn add(root: &mut Archive, kernel: &Kernel, wanted: &Wanted<'_>) -> Result<()> {
    let table = Table::read(kernel)?;
    let load = table.with_dependencies(wanted.load)?;
    let base = format!("lib/modules/{}", kernel.release);
    for path in load.iter().chain(&table.with_dependencies(wanted.present)?) {
        let bytes = fs::read(kernel.modules.join(path)).with_context(|| format!("module {path}"))?;
        root.file(&format!("{base}/{path}"), 0o644, unsigned(bytes));
    }
    let list: String = load.iter().map(|path| format!("/{base}/{path}\n")).collect();
    root.file(LOAD_LIST, 0o644, list.into());
    for name in ["modules.dep", "modules.builtin"] {
        root.file(&format!("{base}/{name}"), 0o644, fs::read(kernel.modules.join(name))?);
    }
    Ok(())
}

/// A module without its signature: checking it costs an emulated machine seconds, and what an initramfs of ours says is
/// believed anyhow. What is appended: the signature, twelve bytes that end with its length, and a mark
/// (Linux, `include/linux/module_signature.h`).
fn unsigned(mut module: Vec<u8>) -> Vec<u8> {
    let parts = module.strip_suffix(SIGNED).and_then(<[u8]>::split_last_chunk::<SIGNATURE_INFO>);
    let kept = parts.and_then(|(before, info)| {
        let (_, length) = info.split_last_chunk::<4>()?;
        before.len().checked_sub(u32::from_be_bytes(*length) as usize)
    });
    module.truncate(kept.unwrap_or(module.len()));
    module
}

/// Paths of modules below the kernel's module folder, each after what it needs.
pub fn paths(kernel: &Kernel, names: &[&str]) -> Result<Vec<String>> {
    Table::read(kernel)?.with_dependencies(names)
}

/// Module name to its path and the paths of its direct dependencies.
struct Table(HashMap<String, (String, Vec<String>)>);

impl Table {
    fn read(kernel: &Kernel) -> Result<Self> {
        let path = kernel.modules.join("modules.dep");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let rows = text.lines().filter_map(|line| {
            let (path, needs) = line.split_once(':')?;
            Some((name(path), (path.to_owned(), needs.split_whitespace().map(str::to_owned).collect())))
        });
        Ok(Self(rows.collect()))
    }

    /// Paths of the modules, each after what it needs, none twice.
    fn with_dependencies(&self, names: &[&str]) -> Result<Vec<String>> {
        let mut order = Vec::new();
        for name in names {
            self.visit(name, &mut order, 0)?;
        }
        Ok(order)
    }

    fn visit(&self, name: &str, order: &mut Vec<String>, depth: usize) -> Result<()> {
        let Some((path, needs)) = self.0.get(name) else {
            return Ok(());
        };
        if depth > 32 {
            bail!("modules.dep has a circle through {name}");
        }
        if order.contains(path) {
            return Ok(());
        }
        for need in needs {
            self.visit(&self::name(need), order, depth + 1)?;
        }
        order.push(path.clone());
        Ok(())
    }
}

/// `kernel/drivers/block/virtio_blk.ko` is called `virtio_blk`; dashes count as underscores.
fn name(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split('.').next().unwrap_or(file).replace('-', "_")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn table() -> Table {
        let rows = [("a", vec!["x/b.ko", "x/c-d.ko"]), ("b", vec!["x/c-d.ko"]), ("c_d", vec![]), ("e", vec!["x/e.ko"])];
        Table(
            rows.into_iter()
                .map(|(name, needs)| {
                    let path = format!("x/{}.ko", name.replace('_', "-"));
                    (name.to_owned(), (path, needs.into_iter().map(str::to_owned).collect()))
                })
                .collect(),
        )
    }

    #[test]
    fn dependencies_come_first_and_once() {
        let order = table().with_dependencies(&["a", "b", "nothing"]).unwrap();
        assert_eq!(order, ["x/c-d.ko", "x/b.ko", "x/a.ko"]);
    }

    #[test]
    fn a_signature_is_cut_off_and_nothing_else() {
        let signed = [b"module".as_slice(), b"signature", &[0, 0, 2, 0, 0, 0, 0, 0], &[0, 0, 0, 9], SIGNED].concat();
        assert_eq!(unsigned(signed.clone()), b"module");
        assert_eq!(unsigned(b"module".to_vec()), b"module");
        let too_long = [&[0; 8], [0, 0, 1, 0].as_slice(), SIGNED].concat();
        assert_eq!(unsigned(too_long.clone()), too_long);
    }

    #[test]
    fn a_circle_is_an_error() {
        assert!(table().with_dependencies(&["e"]).is_err());
    }
}
