//! Links the image for the bare target with linker/testguest.ld.

fn main() {
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let script = format!("{root}/../../linker/testguest.ld");
    println!("cargo:rerun-if-changed={script}");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("none") {
        for argument in [
            &format!("-T{script}"),
            "--no-pie",
            "--gc-sections",
            "--build-id=none",
            "-znoexecstack",
            "-zmax-page-size=0x1000",
        ] {
            println!("cargo:rustc-link-arg-bins={argument}");
        }
    }
}
