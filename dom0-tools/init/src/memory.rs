//! Huge pages for the service channel's rings and buffers.

/// Pages of 2 MiB set aside at boot, when memory is not yet fragmented.
const HUGE_PAGES: &str = "8";

/// Reserves them; with less memory than that the kernel gives what it can.
pub fn reserve_huge_pages() {
    if let Err(error) = std::fs::write("/proc/sys/vm/nr_hugepages", HUGE_PAGES) {
        crate::say(&format!("no huge pages, cubed will not start: {error}"));
    }
}
