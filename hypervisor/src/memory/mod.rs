//! Physical memory: the direct map, the frames and who owns them, the heap.
pub mod direct;
pub mod frame_test;
pub mod frames;
pub mod heap;
pub mod kernel_map;
mod large;
pub mod nested;
pub mod pool;
pub mod ranges;
pub mod records;
mod spare;
pub mod tables;
