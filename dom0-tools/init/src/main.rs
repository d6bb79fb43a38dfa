//! dom0's first program: prepares the system, starts `cubed` when the hypervisor is there, then
//! runs the harness' commands or a shell on the console, and powers the machine off.
//!
//! May depend on the stock kernel's system calls and on busybox; nothing else is in the initramfs
//! when it starts. Invariant: it never returns and never panics; whatever fails is said on the
//! console and the rest goes on, so that a user always gets a shell or an exit status.

mod boot;
mod daemon;
mod disks;
mod execute;
mod memory;
mod modules;
mod mounts;
mod parameter;
mod port;
mod power;
mod reap;
mod shell;

use init::request::{self, Request};

fn main() -> ! {
    mounts::mount_all();
    power::obey_signals();
    let request = read_request();
    modules::load_all();
    memory::reserve_huge_pages();
    disks::name_all();
    boot::mount_disk();
    let reaper = reap::Reaper::new();
    daemon::start_if_hypervisor(&reaper);
    match &request.commands {
        Some(commands) => execute::run(commands, &reaper),
        None => shell::run(&request, &reaper),
    }
    power::off()
}

fn read_request() -> Request {
    let Ok(text) = std::fs::read_to_string(request::PATH) else {
        return Request::default();
    };
    Request::parse(&text).unwrap_or_else(|error| {
        say(&error);
        Request::default()
    })
}

/// A line on the console.
fn say(message: &str) {
    eprintln!("init: {message}");
}
