//! The user's terminal: its size, its raw mode, and its settings put back at the end.

use rustix::{
    stdio::stdin,
    termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr},
};

/// Rows and columns of the terminal, if there is one.
pub fn size() -> Option<(u16, u16)> {
    tcgetwinsize(stdin()).ok().map(|size| (size.ws_row, size.ws_col))
}

/// The terminal's settings, put back when this is dropped.
pub struct Restored(Option<Termios>);

impl Restored {
    /// Remembers the settings.
    pub fn new() -> Self {
        Self(tcgetattr(stdin()).ok())
    }

    /// Passes every key on as it is typed.
    pub fn make_raw(&self) {
        if let Some(mut settings) = self.0.clone() {
            settings.make_raw();
            // Without it keys arrive by the line, which is still usable.
            let _ = tcsetattr(stdin(), OptionalActions::Now, &settings);
        }
    }
}

impl Drop for Restored {
    fn drop(&mut self) {
        if let Some(settings) = &self.0 {
            // The terminal may be gone.
            let _ = tcsetattr(stdin(), OptionalActions::Now, settings);
        }
    }
}
