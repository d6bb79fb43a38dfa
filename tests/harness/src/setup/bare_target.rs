//! Which compiler builds for `x86_64-unknown-none`, chosen here and nowhere else.
//!
//! rustup's target where rustup offers it; otherwise Debian's `rustc-web`, which has no such
//! target either but comes with the sources of core, from which cargo builds it.

use crate::{setup::packages, stamp, tree::Tree};
use anyhow::Result;
use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

/// The target of bare-metal packages.
pub const TRIPLE: &str = "x86_64-unknown-none";
/// Where Debian's Rust is.
const DEBIAN: &str = "/usr/bin";
/// Where Debian keeps the sources of core.
const SOURCES: &str = "/usr/lib/rustlib/src/rust/library/core/src/lib.rs";
/// Seconds that rustup may take to fetch something.
const FETCH_SECONDS: &str = "60";
/// Variables by which an outer cargo or rustup would hand the build to another compiler.
const OUTER: [&str; 10] = [
    "RUSTUP_TOOLCHAIN",
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTC_WRAPPER",
    "CARGO",
    "RUSTDOC",
    "LD_LIBRARY_PATH",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_PKG_NAME",
];

/// A way to build for bare metal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BareTarget {
    /// rustup's prebuilt core.
    Rustup,
    /// Debian's compiler and `-Zbuild-std`.
    Debian,
}

impl BareTarget {
    /// Chooses, installs what the choice needs, and remembers it.
    pub fn choose(tree: &Tree) -> Result<Self> {
        let stamp = tree.folder("setup")?.join("bare-target");
        if stamp::says(&stamp, "rustup") && rustup_has_target() {
            return Ok(Self::Rustup);
        }
        if stamp::says(&stamp, "debian") && Path::new(SOURCES).exists() {
            return Ok(Self::Debian);
        }
        let (choice, name) = if rustup_has_target() || rustup_fetches_target() {
            eprintln!("bare-metal target: rustup's {TRIPLE}");
            (Self::Rustup, "rustup")
        } else {
            eprintln!("bare-metal target: Debian's rustc-web with -Zbuild-std (rustup does not offer {TRIPLE} here)");
            packages::install(tree, packages::BARE_RUST)?;
            (Self::Debian, "debian")
        };
        fs::write(stamp, name)?;
        Ok(choice)
    }

    /// A cargo that builds for bare metal; the caller adds what to build.
    pub fn cargo(self, verb: &str) -> Command {
        let mut cargo = match self {
            Self::Rustup => Command::new("cargo"),
            Self::Debian => Command::new(Path::new(DEBIAN).join("cargo")),
        };
        for variable in OUTER {
            cargo.env_remove(variable);
        }
        cargo.args([verb, "--target", TRIPLE]);
        if self == Self::Debian {
            let path = env::var("PATH").unwrap_or_default();
            cargo
                .env("RUSTC", Path::new(DEBIAN).join("rustc"))
                .env("RUSTC_BOOTSTRAP", "1")
                .env("PATH", format!("{DEBIAN}:{path}"))
                .args(["-Zbuild-std=core,alloc,compiler_builtins", "-Zbuild-std-features=compiler-builtins-mem"]);
        }
        cargo
    }
}

/// Whether rustup looks after the host's Rust.
pub fn has_rustup() -> bool {
    Command::new("rustup").arg("--version").output().is_ok()
}

fn rustup_has_target() -> bool {
    Command::new("rustup")
        .args(["target", "list", "--installed"])
        .stderr(Stdio::null())
        .output()
        .is_ok_and(|list| String::from_utf8_lossy(&list.stdout).lines().any(|line| line == TRIPLE))
}

fn rustup_fetches_target() -> bool {
    if !has_rustup() {
        return false;
    }
    eprintln!("asking rustup for {TRIPLE}");
    rustup(&["target", "add", TRIPLE])
}

/// Has rustup do something that may need its server; whether it could.
pub fn rustup(words: &[&str]) -> bool {
    Command::new("timeout")
        .args([FETCH_SECONDS, "rustup"])
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
