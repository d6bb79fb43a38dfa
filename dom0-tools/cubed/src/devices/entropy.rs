//! virtio-entropy (virtio 1.2, section 5.4): random bytes from dom0's kernel.

use super::bytes::answer;
use crate::channel::hypervisor::Refused;
use crate::channel::{Hypervisor, Request};
use protocol::DeviceCounters;
use rustix::rand::{GetRandomFlags, getrandom};

/// Bytes given to one request at most; a device may give fewer than asked for.
const MOST: usize = 4096;

/// Answers a request. Returns at once: dom0's generator is initialised before the first domain.
///
/// # Errors
/// As [`answer`].
pub fn serve(hypervisor: &mut dyn Hypervisor, request: &Request, counters: &mut DeviceCounters) -> Result<(), Refused> {
    let len = usize::try_from(request.writable).unwrap_or(MOST).min(MOST);
    let mut bytes = vec![0; len];
    let given = getrandom(&mut bytes[..], GetRandomFlags::NONBLOCK).unwrap_or(0);
    bytes.truncate(given);
    counters.reads += 1;
    counters.read_bytes += given as u64;
    answer(hypervisor, request, &bytes)
}
