//! The log, as tests read it.

use std::io::Write;
use std::sync::{Arc, Mutex};

/// What is logged while `what` is done.
pub fn logged(what: impl FnOnce()) -> String {
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lines = Arc::new(Mutex::new(Vec::new()));
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || Lines(writer.clone())).finish();
    tracing::subscriber::with_default(subscriber, what);
    let bytes = lines.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}
