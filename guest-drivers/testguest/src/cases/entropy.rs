//! The entropy source: fills buffers of several sizes, differently each time.

use crate::device::dma::{self, Machine};
use crate::report::Outcome;
use crate::{ensure, fail};
use abi::platform::VIRTIO_ENTROPY;
use virtio_drivers::device::rng::VirtIORng;

pub fn run() -> Outcome {
    let Some(transport) = dma::transport(VIRTIO_ENTROPY) else { fail!("no entropy source") };
    let mut source = match VirtIORng::<Machine, _>::new(transport) {
        Ok(source) => source,
        Err(error) => fail!("the entropy source refuses the driver: {error:?}"),
    };
    let mut last = [0u8; 64];
    for size in [64, 1, 7, 32, 64, 64] {
        let mut buffer = [0u8; 64];
        let filled = match source.request_entropy(&mut buffer[..size]) {
            Ok(filled) => filled,
            Err(error) => fail!("{size} bytes: {error:?}"),
        };
        ensure!(filled > 0 && filled <= size, "{filled} of {size} bytes");
        ensure!(buffer[size..].iter().all(|byte| *byte == 0), "bytes behind a buffer of {size} were written");
        if filled >= 16 {
            let ones: u32 = buffer[..filled].iter().map(|byte| byte.count_ones()).sum();
            ensure!((filled as u32 * 2..filled as u32 * 6).contains(&ones), "{ones} ones in {filled} bytes");
            ensure!(buffer[..16] != last[..16], "the same bytes twice");
            last = buffer;
        }
    }
    Ok(())
}
