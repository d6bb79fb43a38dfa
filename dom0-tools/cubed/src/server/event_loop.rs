//! The loop: wait, let the daemon take a step, serve the clients.

use super::Listener;
use super::sessions::Sessions;
use super::signals::Signals;
use crate::channel::{AttachError, Line, Lost};
use crate::daemon::Daemon;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

const LISTENER: Token = Token(0);
const SIGNALS: Token = Token(1);
const INTERRUPT: Token = Token(2);
const WAKER: Token = Token(3);
const DISKS: Token = Token(4);
const FIRST_SESSION: usize = 16;

/// A look at everything at least this often, should an interrupt ever get lost.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// How often followers of the log are served.
const FOLLOW: Duration = Duration::from_millis(200);
/// How long accesses under way are waited for at the end.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// Why the loop ended.
#[derive(Debug, thiserror::Error)]
pub enum Exit {
    /// By signal or a client's request: as wanted.
    #[error("asked to end")]
    Asked,
    /// The channel is lost.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// The function's files fail.
    #[error(transparent)]
    Channel(#[from] AttachError),
    /// Polling failed.
    #[error("the event loop cannot wait: {0}")]
    Poll(#[from] std::io::Error),
}

/// The loop.
pub struct Loop {
    poll: Poll,
    listener: Listener,
    signals: Signals,
    sessions: Sessions,
    waker: std::sync::Arc<mio::Waker>,
}

impl Loop {
    /// A loop that listens and catches signals.
    ///
    /// # Errors
    /// As the system tells.
    pub fn new(mut listener: Listener) -> std::io::Result<Self> {
        let poll = Poll::new()?;
        let mut signals = Signals::catch()?;
        poll.registry().register(listener.source(), LISTENER, Interest::READABLE)?;
        poll.registry().register(signals.source(), SIGNALS, Interest::READABLE)?;
        let waker = std::sync::Arc::new(mio::Waker::new(poll.registry(), WAKER)?);
        Ok(Self { poll, listener, signals, sessions: Sessions::new(FIRST_SESSION), waker })
    }

    /// Wakes the loop from other threads.
    #[must_use]
    pub fn waker(&self) -> std::sync::Arc<dyn Fn() + Send + Sync> {
        let waker = self.waker.clone();
        std::sync::Arc::new(move || {
            let _ = waker.wake();
        })
    }

    /// Serves until asked to end, then finishes what is under way and detaches. `disks`: readable
    /// when disk accesses have ended.
    pub fn run<H: Line>(mut self, mut daemon: Daemon<H>, disks: Option<RawFd>) -> Exit {
        let end = self.serve(&mut daemon, disks);
        if matches!(end, Exit::Asked) {
            self.finish(&mut daemon);
        }
        daemon.into_hypervisor().detach();
        end
    }

    fn serve<H: Line>(&mut self, daemon: &mut Daemon<H>, disks: Option<RawFd>) -> Exit {
        if let Err(error) = self.watch(daemon, disks) {
            return error.into();
        }
        let mut events = Events::with_capacity(64);
        let mut again = true;
        loop {
            let timeout = self.timeout(daemon, again);
            if let Err(error) = self.poll.poll(&mut events, Some(timeout))
                && error.kind() != std::io::ErrorKind::Interrupted
            {
                return error.into();
            }
            let now = Instant::now();
            let mut asked = false;
            for event in &events {
                match event.token() {
                    LISTENER => {
                        while let Some(stream) = self.listener.accept() {
                            self.sessions.add(stream, self.poll.registry());
                        }
                    }
                    SIGNALS => asked |= self.signals.came(),
                    WAKER | DISKS | INTERRUPT => {}
                    // Not a half-close: who sends no more may still wait for an answer.
                    token => asked |= self.sessions.ready(token, event.is_write_closed(), daemon, now),
                }
            }
            let idle = events.is_empty() && !again;
            let interrupted = events.iter().any(|event| event.token() == INTERRUPT);
            if idle {
                daemon.nudge();
            }
            again = daemon.step(now);
            // The interrupt stays masked while events are worked off, so that a burst costs one.
            // Now and then it is taken without having come: one that got lost must not stay so.
            if interrupted || idle {
                if let Err(error) = daemon.acknowledge() {
                    return error.into();
                }
                again |= daemon.step(now);
            }
            asked |= self.sessions.serve(daemon, self.poll.registry(), now);
            if let Some(lost) = daemon.lost() {
                return lost.into();
            }
            if asked {
                return Exit::Asked;
            }
        }
    }

    fn watch<H: Line>(&self, daemon: &Daemon<H>, disks: Option<RawFd>) -> std::io::Result<()> {
        let interrupt = daemon.hypervisor().interrupt().as_raw_fd();
        self.poll.registry().register(&mut SourceFd(&interrupt), INTERRUPT, Interest::READABLE)?;
        if let Some(disks) = disks {
            self.poll.registry().register(&mut SourceFd(&disks), DISKS, Interest::READABLE)?;
        }
        Ok(())
    }

    fn timeout<H: Line>(&self, daemon: &Daemon<H>, again: bool) -> Duration {
        if again {
            return Duration::ZERO;
        }
        let longest = if self.sessions.follow() { FOLLOW } else { LONGEST_SLEEP };
        let until = daemon.deadline().map(|deadline| deadline.saturating_duration_since(Instant::now()));
        until.map_or(longest, |until| until.min(longest))
    }

    /// Lets accesses under way end, so that the next daemon finds nothing half done.
    fn finish<H: Line>(&mut self, daemon: &mut Daemon<H>) {
        let end = Instant::now() + LAST_WAIT;
        let mut events = Events::with_capacity(16);
        while !daemon.rest() && Instant::now() < end && daemon.lost().is_none() {
            let _ = self.poll.poll(&mut events, Some(Duration::from_millis(10)));
        }
    }
}
