//! Physical memory: the direct map, the frames and who owns them, the heap.
pub mod direct;
pub mod frames;
pub mod heap;
pub mod kernel_map;
pub mod nested;
pub mod ranges;
