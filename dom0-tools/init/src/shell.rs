//! The interactive root shell on dom0's console, with job control.

use crate::reap::Reaper;
use init::request::Request;
use rustix::termios::{Winsize, tcsetwinsize};
use std::{
    fs::{File, OpenOptions},
    io::Write,
    process::Command,
};

/// The console of the interactive shell: the first serial port.
const CONSOLE: &str = "/dev/ttyS0";

/// Runs a login shell until the user leaves it.
pub fn run(request: &Request, reaper: &Reaper) {
    if let Err(error) = login(request, reaper) {
        crate::say(&format!("shell on {CONSOLE}: {error}"));
    }
}

fn login(request: &Request, reaper: &Reaper) -> std::io::Result<()> {
    let mut console = OpenOptions::new().read(true).write(true).open(CONSOLE)?;
    set_size(&console, request);
    writeln!(console, "dom0 of Hypercube. Leave the shell to power off.")?;
    let mut command = Command::new("/usr/bin/setsid");
    environment(command.args(["-c", "/bin/sh", "-l"]))
        .env("TERM", request.term.as_deref().unwrap_or("vt100"))
        .stdin(console.try_clone()?)
        .stdout(console.try_clone()?)
        .stderr(console);
    let child = command.spawn()?;
    reaper.wait(child.id(), None);
    Ok(())
}

fn set_size(console: &File, request: &Request) {
    if let Some((rows, columns)) = request.size {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // Only comfort: line editing guesses when it does not know.
        let _ = tcsetwinsize(console, size);
    }
}

/// What every command in dom0 may rely on.
pub fn environment(command: &mut Command) -> &mut Command {
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
        .env("HOME", "/root")
        .env("USER", "root")
        .env("SHELL", "/bin/sh")
        .env("PS1", "dom0:\\w# ")
        .env("LANG", "C.UTF-8")
        .current_dir("/root")
}
