//! The second serial port (COM2, 115200 baud): the hypervisor's own line.

use crate::cpu::port;
use core::sync::atomic::{AtomicU8, Ordering};

const BASE: u16 = 0x2f8;
/// dom0's (COM1), as GRUB left it.
const CONSOLE: u16 = 0x3f8;
const UNKNOWN: u8 = 0;
const PRESENT: u8 = 1;
const ABSENT: u8 = 2;
static STATE: AtomicU8 = AtomicU8::new(UNKNOWN);

/// Programs the port on first use; false if there is none.
fn ready() -> bool {
    match STATE.load(Ordering::Relaxed) {
        PRESENT => true,
        ABSENT => false,
        _ => {
            port::write8(BASE + 7, 0x5a);
            let found = port::read8(BASE + 7) == 0x5a;
            if found {
                port::write8(BASE + 1, 0);
                port::write8(BASE + 3, 0x80);
                port::write8(BASE, 1);
                port::write8(BASE + 1, 0);
                port::write8(BASE + 3, 3);
                port::write8(BASE + 2, 7);
                port::write8(BASE + 4, 3);
            }
            STATE.store(if found { PRESENT } else { ABSENT }, Ordering::Relaxed);
            found
        }
    }
}

/// Sends text; gives up on a port that does not drain. Callers hold the log's lock.
pub fn send(text: &str) {
    if !ready() {
        return;
    }
    for &byte in text.as_bytes() {
        if byte == b'\n' {
            send_byte(BASE, b'\r');
        }
        send_byte(BASE, byte);
    }
}

/// To the port at `base`, when it has room: more than its queue holds would be lost. One that is not there reads as
/// ready.
fn send_byte(base: u16, byte: u8) {
    for _ in 0..100_000 {
        if port::read8(base + 5) & 0x20 != 0 {
            port::write8(base, byte);
            return;
        }
    }
}

/// A line for a person when nothing else can be trusted: the serial ports and the screen, no locks.
pub fn emergency(text: &str) {
    send(text);
    send("\n");
    text.bytes().chain(*b"\r\n").for_each(|byte| send_byte(CONSOLE, byte));
    crate::memory::direct::write_text_screen(text);
}
