//! `cube check`: needs no daemon.

use crate::output::Output;
use crate::units::size;
use domain_builder::{Domain, config};
use protocol::{Exit, Mistake};
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
struct Checked {
    files: Vec<CheckedFile>,
}

#[derive(Serialize)]
struct CheckedFile {
    file: PathBuf,
    ok: bool,
    mistakes: Vec<Mistake>,
}

/// Checks each file; with `look` also the files that it names.
pub fn check(out: &mut Output, files: &[PathBuf], look: bool) -> Exit {
    let mut lines = Vec::new();
    let mut checked = Vec::new();
    for file in files {
        let mistakes = match read(file, look) {
            Ok(domain) => {
                lines.push(summary(file, &domain));
                Vec::new()
            }
            Err(mistakes) => mistakes,
        };
        out.mistakes(&mistakes);
        checked.push(CheckedFile { file: file.clone(), ok: mistakes.is_empty(), mistakes });
    }
    let exit = if checked.iter().all(|file| file.ok) { Exit::Ok } else { Exit::BadDomainFile };
    out.put(&Checked { files: checked }, || lines.join("\n"));
    exit
}

fn read(file: &Path, look: bool) -> Result<Domain, Vec<Mistake>> {
    let text = config::text(file)?;
    if look { config::check(&text, file) } else { config::parse(&text, file) }
}

fn summary(file: &Path, domain: &Domain) -> String {
    let plural = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    format!(
        "{}: fine: {}, {}, {} memory, limit {}, {}",
        file.display(),
        domain.name,
        plural(domain.vcpus as usize, "vCPU"),
        size(domain.memory),
        size(domain.limit),
        plural(domain.disks.len(), "disk"),
    )
}
