//! Link arguments for the kernel image.
use std::{env, path::PathBuf};

fn main() {
    let dir = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_default());
    let script = dir.join("../linker/hypervisor.ld");
    println!("cargo:rerun-if-changed={}", script.display());
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("none") {
        return;
    }
    for argument in [
        format!("-T{}", script.display()),
        "-zmax-page-size=0x1000".into(),
        "-znoexecstack".into(),
        "--gc-sections".into(),
        "--build-id=none".into(),
        "--no-dynamic-linker".into(),
        "--no-pie".into(),
    ] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
