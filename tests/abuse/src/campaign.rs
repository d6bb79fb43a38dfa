//! Attach, send, and see that nothing is missing afterwards.

use crate::buffers::{Buffers, dom0_end};
use crate::commands::{Drawn, draw};
use crate::tally::Tally;
use abi::command::{Command, op};
use abi::host::HostInfo;
use cubed::channel::hypervisor::{call, command};
use cubed::channel::{Buffer, Channel, Hypervisor, Line};
use fastrand::Rng;
use std::time::{Duration, Instant};
use zerocopy::FromBytes;

/// Bytes that commands may name as theirs.
const ROOM: usize = 256 << 10;
/// Commands of one doorbell.
const BATCH: usize = 64;
/// Domains that are left alive before some are destroyed.
const MOST: usize = 24;

/// Sends commands for `time`.
///
/// # Errors
/// What the hypervisor did wrong, in words.
pub fn run(time: Duration, seed: u64) -> Result<String, String> {
    let mut channel = Channel::attach(4 << 20).map_err(|error| format!("not attached: {error}"))?;
    let room = channel.pool().take(ROOM).ok_or("no buffer")?;
    let answers = channel.pool().take(4096).ok_or("no buffer")?;
    let before = host(&mut channel, &answers)?;
    let end = dom0_end()?;
    let buffers = Buffers { ours: room.physical(), len: ROOM as u64, end };
    let (mut rng, mut tally, mut made) = (Rng::with_seed(seed), Tally::default(), 0);
    let start = Instant::now();
    while start.elapsed() < time {
        let domains = list(&mut channel, &answers)?;
        if domains.len() > MOST {
            destroy(&mut channel, &domains)?;
            continue;
        }
        let drawn: Vec<Drawn> = (0..rng.usize(1..=BATCH)).map(|_| draw(&mut rng, &buffers, &domains)).collect();
        let mut commands: Vec<Command> = drawn.iter().map(|drawn| drawn.command).collect();
        channel.submit(&mut commands).map_err(|lost| lost.to_string())?;
        for (drawn, command) in drawn.iter().zip(&commands) {
            tally.take(command);
            made += u64::from(command.op == op::CREATE && command.result > 0);
            if drawn.least_breach.is_some_and(|least| command.result >= least) {
                return Err(format!("{:?} was answered with {}", drawn.command, command.result));
            }
            tally.bad_buffers += u64::from(drawn.least_breach.is_some());
        }
        while channel.next_event().is_some() {
            tally.events += 1;
        }
    }
    let domains = list(&mut channel, &answers)?;
    destroy(&mut channel, &domains)?;
    let after = host(&mut channel, &answers)?;
    channel.detach();
    if after.domains != 0 {
        return Err(format!("{} domains are left", after.domains));
    }
    if after.free != before.free {
        return Err(format!("{} frames were free, now {}", before.free, after.free));
    }
    Ok(tally.report(seed, made))
}

fn host(channel: &mut Channel, answers: &Buffer) -> Result<HostInfo, String> {
    ask(channel, command(op::HOST_INFO, 0, [answers.physical()]))?;
    let (info, _) = HostInfo::read_from_prefix(channel.bytes(answers)).map_err(|_| "a short answer")?;
    Ok(info)
}

/// Identifiers of all guests.
pub fn list(channel: &mut Channel, answers: &Buffer) -> Result<Vec<u32>, String> {
    let count = ask(channel, command(op::LIST_DOMAINS, 0, [answers.physical(), 4096]))?;
    let bytes = channel.bytes(answers).chunks_exact(4).take(usize::try_from(count).unwrap_or(0));
    Ok(bytes.filter_map(|word| Some(u32::from_le_bytes(word.try_into().ok()?))).collect())
}

/// Destroys all of them, which takes several calls each.
fn destroy(channel: &mut Channel, domains: &[u32]) -> Result<(), String> {
    for &domain in domains {
        let start = Instant::now();
        loop {
            match call(channel, command::<0>(op::DESTROY, domain, [])) {
                Ok(_) | Err(cubed::channel::hypervisor::Refused::By(abi::Error::NotFound)) => break,
                Err(cubed::channel::hypervisor::Refused::By(abi::Error::Again)) => {}
                Err(error) => return Err(format!("domain {domain} cannot be destroyed: {error}")),
            }
            while channel.next_event().is_some() {}
            if start.elapsed() > Duration::from_secs(30) {
                return Err(format!("domain {domain} is not gone after 30 s"));
            }
        }
    }
    Ok(())
}

/// A command that must not be refused.
pub fn ask(channel: &mut Channel, command: Command) -> Result<u64, String> {
    call(channel, command).map_err(|error| format!("{command:?}: {error}"))
}
