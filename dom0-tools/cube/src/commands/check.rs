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
    let text = text(file).map_err(|mistake| vec![mistake])?;
    if look { config::check(&text, file) } else { config::parse(&text, file) }
}

/// The text of a domain file, or the mistake that it cannot be read.
pub fn text(file: &Path) -> Result<String, Mistake> {
    std::fs::read_to_string(file).map_err(|error| Mistake {
        file: file.to_owned(),
        line: 0,
        column: 0,
        key: String::new(),
        message: format!("cannot be read: {error}"),
        hint: "give the path of a domain file; docs/domain-file.md has an example".to_owned(),
    })
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
