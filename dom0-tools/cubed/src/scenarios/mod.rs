//! Whole scenarios against the model hypervisor and drives in memory.

mod blocks;
mod consoles;
mod counters;
mod files;
mod gone;
mod kills;
mod limits;
mod lives;
mod logged;
mod readonly;
mod shapes;
mod sockets;
mod swap;
mod world;
