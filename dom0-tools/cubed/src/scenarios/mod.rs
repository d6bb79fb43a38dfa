//! Whole scenarios against the model hypervisor and drives in memory.

mod blocks;
mod consoles;
mod kills;
mod files;
mod lives;
mod shapes;
mod sockets;
mod swap;
mod world;
