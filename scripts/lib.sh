# For the scripts beside it: runs the harness, after making sure that there is a cargo to build it.
# What it says goes to standard error: standard output belongs to the commands in dom0.
set -eu
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[ -d "$HOME/.cargo/bin" ] && PATH="$PATH:$HOME/.cargo/bin"

harness() {
    if ! command -v cargo >/dev/null || ! command -v cc >/dev/null; then
        echo "installing Debian's Rust (rustc-web, cargo-web) and a C compiler" >&2
        sudo=$([ "$(id -u)" = 0 ] || echo sudo)
        $sudo apt-get update -qq >&2
        $sudo apt-get install -y -qq --no-install-recommends rustc-web cargo-web gcc libc6-dev ca-certificates >&2
    fi
    [ -x "${CARGO_TARGET_DIR:-$root/target}/debug/harness" ] || echo "building the harness" >&2
    exec cargo run --quiet --manifest-path "$root/Cargo.toml" --package harness -- "$@"
}
