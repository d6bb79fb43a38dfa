//! Drives a machine that runs commands: takes frames until the exit status and the machine's end.

use super::{Machine, Sink, Watch};
use anyhow::{Context, Result};
use init::frame::{Decoder, Frame, Kind};
use std::{
    fmt,
    io::Read,
    process::{ChildStdout, ExitStatus},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

/// How long a machine may take to power off after its commands' end.
const POWER_OFF: Duration = Duration::from_secs(30);

/// How a machine ended.
#[derive(Debug)]
pub enum Ended {
    /// By itself, after the commands.
    PoweredOff,
    /// The commands ended but the machine stayed on and was ended.
    StayedOn,
    /// What was watched for came.
    Seen,
    /// Time ran out.
    TimedOut,
    /// By itself, before the commands had ended.
    Early(ExitStatus),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PoweredOff => f.write_str("powered off"),
            Self::StayedOn => f.write_str("stayed on"),
            Self::Seen => f.write_str("showed what was watched for"),
            Self::TimedOut => f.write_str("ran out of time"),
            Self::Early(status) => write!(f, "ended (the emulator: {status})"),
        }
    }
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// The commands' exit status.
    pub status: Option<i32>,
    /// From the emulator's start to the commands' start.
    pub ready_after: Option<Duration>,
    /// How the machine ended.
    pub ended: Ended,
}

/// How long a machine may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// To its first command.
    pub begin: Duration,
    /// In all.
    pub end: Duration,
}

/// Drives the machine to its end or to what `watch` waits for, within the limits.
pub fn drive(machine: &mut Machine, sink: &mut dyn Sink, limits: Limits, watch: &Watch<'_>) -> Result<Outcome> {
    let start = Instant::now();
    let deadline = start.checked_add(limits.end).context("the time limit is too long")?;
    let begin = start.checked_add(limits.begin).context("the time limit is too long")?;
    let (sender, frames) = channel();
    let pipe = machine.take_frames().context("the machine is driven twice")?;
    thread::spawn(move || read_frames(pipe, &sender));
    let mut ready_after = None;
    let status = loop {
        let deadline = if ready_after.is_none() { deadline.min(begin) } else { deadline };
        match next(&frames, deadline, watch)? {
            Next::Frame(frame) => match frame.kind {
                Kind::Ready => ready_after = Some(start.elapsed()),
                Kind::Stdout => sink.stdout(&frame.payload),
                Kind::Stderr => sink.stderr(&frame.payload),
                Kind::Note => eprintln!("dom0: {}", String::from_utf8_lossy(&frame.payload)),
                Kind::Exit => break status_of(&frame),
            },
            Next::Closed => {
                let ended = match machine.wait_until(Some(Instant::now() + POWER_OFF))? {
                    Some(status) => Ended::Early(status),
                    None => Ended::StayedOn,
                };
                return Ok(Outcome { status: None, ready_after, ended });
            }
            Next::Seen => {
                return Ok(Outcome { status: None, ready_after, ended: Ended::Seen });
            }
            Next::Late => {
                machine.record_state();
                return Ok(Outcome { status: None, ready_after, ended: Ended::TimedOut });
            }
        }
    };
    let ended = match machine.wait_until(Some(Instant::now() + POWER_OFF))? {
        Some(_) => Ended::PoweredOff,
        None => Ended::StayedOn,
    };
    Ok(Outcome { status, ready_after, ended })
}

enum Next {
    Frame(Frame),
    Closed,
    Late,
    Seen,
}

fn next(frames: &Receiver<Frame>, deadline: Instant, watch: &Watch<'_>) -> Result<Next> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match frames.recv_timeout(left.min(watch.period())) {
            Ok(frame) => return Ok(Next::Frame(frame)),
            Err(_) if watch.is_over()? => return Ok(Next::Seen),
            Err(RecvTimeoutError::Disconnected) => return Ok(Next::Closed),
            Err(RecvTimeoutError::Timeout) if Instant::now() >= deadline => return Ok(Next::Late),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

fn read_frames(mut pipe: ChildStdout, sender: &Sender<Frame>) {
    let mut decoder = Decoder::default();
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = pipe.read(&mut buffer) {
        for frame in decoder.push(buffer.get(..count).unwrap_or_default()) {
            if sender.send(frame).is_err() {
                return;
            }
        }
    }
}

fn status_of(frame: &Frame) -> Option<i32> {
    frame.payload.as_slice().try_into().ok().map(i32::from_le_bytes)
}
