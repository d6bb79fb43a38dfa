//! What runs in dom0 and in the guest.

/// MiB of the hypervisor's store.
pub const STORE: u64 = 512;
/// MiB of the guest's disk, its swap area.
pub const GUEST_DISK: u64 = 384;
/// MiB that the guest has.
const MEMORY: u64 = 128;
/// MiB of it that may be resident.
const LIMIT: u64 = 80;
/// MiB that its program cycles through.
const WORKLOAD: u64 = 160;

/// In two sentences.
pub fn describe() -> String {
    format!(
        "a guest of {MEMORY} MiB, of which {LIMIT} MiB may be resident, runs a program that cycles through {WORKLOAD} MiB; \
         its kernel has init_on_alloc=0, because Debian's otherwise zeroes each page before the disk's read into it, and \
         leaves nothing to R3"
    )
}

/// The script. The guest lingers after its program so that dom0 can read the last counters. Its
/// kernel does not zero pages as it hands them out: that would be the first touch of a page, before
/// the disk's read into it that R3 recognises.
pub fn for_dom0(disk: &str, reconcile: bool, seconds: u64) -> String {
    format!(
        "\
. /share/guests.sh
kernel_words=init_on_alloc=0
linux demo \"memory = '{MEMORY}M'\" \"limit = '{LIMIT}M'\" '[reconcile]' 'r1 = {reconcile}' 'r2 = {reconcile}' \\
    'r3 = {reconcile}' '[[disks]]' \"path = '{disk}'\" <<'GUEST'
echo 0 >/proc/sys/vm/page-cluster
mkswap /dev/vda >/dev/null && swapon /dev/vda || exit 1
workload {WORKLOAD} {seconds}
sleep 4
GUEST
cube create /root/demo.toml || exit 1
while sleep 2; do cube --json stats demo 2>/dev/null || break; done &
cube console --replay 65536 demo </dev/null
kill %1 2>/dev/null
exit 0
"
    )
}
