//! Builds images beside the event loop: reads and checks the domain file, then hands the first
//! memory over piece by piece, as fast as they are taken.

use abi::domain::BootState;
use domain_builder::config::{check, text};
use domain_builder::{Domain, Image};
use protocol::{ErrorCode, Failure, Source};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Bytes of a piece at most.
pub const PIECE: usize = 512 << 10;
/// Pieces that wait to be taken at most.
const AHEAD: usize = 4;

/// What the builder has to tell.
#[derive(Debug)]
pub enum Progress {
    /// The file is good; the domain can be created.
    Checked(Box<Checked>),
    /// Pages from this guest frame number on.
    Pages {
        /// First guest frame number.
        gfn: u64,
        /// Whole pages.
        bytes: Vec<u8>,
    },
    /// That was all.
    Complete,
    /// It cannot be built.
    Failed(Failure),
}

/// A checked domain file.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The domain.
    pub domain: Domain,
    /// The state of vCPU 0.
    pub boot: BootState,
    /// The file's path.
    pub file: PathBuf,
    /// The file's text.
    pub text: String,
}

/// Called when there is something to take.
pub type Wake = std::sync::Arc<dyn Fn() + Send + Sync>;

/// Begins to build. The thread ends with the last message, or when the receiver is dropped.
pub fn begin(source: Source, wake: Wake) -> Receiver<Progress> {
    let (sender, receiver) = sync_channel(AHEAD);
    let builder = Builder { sender, wake };
    let started = std::thread::Builder::new().name("build".to_owned()).spawn({
        let builder = builder.clone();
        move || builder.run(source)
    });
    if let Err(error) = started {
        let failure = Failure::new(ErrorCode::NoResources, format!("no thread: {error}"), "try again");
        builder.send(Progress::Failed(failure));
    }
    receiver
}

#[derive(Clone)]
struct Builder {
    sender: SyncSender<Progress>,
    wake: Wake,
}

impl Builder {
    fn run(&self, source: Source) {
        match self.build(source) {
            Ok(()) => self.send(Progress::Complete),
            Err(Some(failure)) => self.send(Progress::Failed(failure)),
            Err(None) => true,
        };
    }

    /// `Err(None)`: nobody listens any more.
    fn build(&self, source: Source) -> Result<(), Option<Failure>> {
        let (text, file) = read(source)?;
        let domain = check(&text, &file).map_err(Failure::bad_file)?;
        let image = Image::build(&domain).map_err(Failure::from)?;
        let boot = image.boot;
        self.offer(Progress::Checked(Box::new(Checked { domain, boot, file, text })))?;
        let mut pieces = image.pieces();
        loop {
            let mut bytes = vec![0; PIECE];
            let Some(piece) = pieces.next(&mut bytes).map_err(Failure::from)? else { return Ok(()) };
            bytes.truncate(usize::try_from(piece.pages * abi::PAGE_SIZE).unwrap_or(0));
            self.offer(Progress::Pages { gfn: piece.gfn, bytes })?;
        }
    }

    fn offer(&self, progress: Progress) -> Result<(), Option<Failure>> {
        if self.send(progress) { Ok(()) } else { Err(None) }
    }

    fn send(&self, progress: Progress) -> bool {
        let sent = self.sender.send(progress).is_ok();
        (self.wake)();
        sent
    }
}

fn read(source: Source) -> Result<(String, PathBuf), Failure> {
    match source {
        Source::Text { text, file } => Ok((text, file)),
        Source::File(file) => Ok((text(&file).map_err(Failure::bad_file)?, file)),
    }
}
