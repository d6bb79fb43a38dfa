//! The way out of a raw terminal: Ctrl-A x ends the machine, Ctrl-A a sends a Ctrl-A, as in QEMU.

const ESCAPE: u8 = 0x01;

/// Watches what the user types.
#[derive(Debug, Default)]
pub struct Escape {
    pending: bool,
}

/// What is to be done with typed bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Typed {
    /// Send these to the machine.
    Send(Vec<u8>),
    /// End the machine.
    Quit,
}

impl Escape {
    /// Takes typed bytes.
    pub fn take(&mut self, bytes: &[u8]) -> Typed {
        let mut send = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            match (std::mem::take(&mut self.pending), byte) {
                (true, b'x') => return Typed::Quit,
                (true, b'a') => send.push(ESCAPE),
                (false, ESCAPE) => self.pending = true,
                (_, other) => send.push(other),
            }
        }
        Typed::Send(send)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_pass_and_the_escape_quits() {
        let mut escape = Escape::default();
        assert_eq!(escape.take(b"ls\x01"), Typed::Send(b"ls".to_vec()));
        assert_eq!(escape.take(b"a\x01q"), Typed::Send(b"\x01q".to_vec()));
        assert_eq!(escape.take(b"abc\x01x"), Typed::Quit);
    }
}
