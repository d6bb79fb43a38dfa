//! A daemon that attaches and then serves nobody: the guests that another one built must not grow beyond their limits,
//! though the event ring soon has no room for their page-outs.

use crate::campaign::{ask, list};
use abi::command::op;
use abi::domain::{DomainInfo, state};
use cubed::channel::hypervisor::command;
use cubed::channel::{Channel, Hypervisor, Line};
use std::thread::sleep;
use std::time::Duration;
use zerocopy::FromBytes;

/// Pages above the limit that a guest may have: where no victim is found at once, it goes on.
const BEYOND: u64 = 16;

/// Serves nobody for `time`.
///
/// # Errors
/// What the hypervisor did wrong, in words.
pub fn run(time: Duration) -> Result<String, String> {
    let mut channel = Channel::attach(4 << 20).map_err(|error| format!("not attached: {error}"))?;
    let answers = channel.pool().take(4096).ok_or("no buffer")?;
    sleep(time);
    let domains = list(&mut channel, &answers)?;
    let mut waiting = 0;
    for &domain in &domains {
        ask(&mut channel, command(op::DOMAIN_INFO, domain, [answers.physical()]))?;
        let (info, _) = DomainInfo::read_from_prefix(channel.bytes(&answers)).map_err(|_| "a short answer")?;
        if info.state != state::RUNNING || info.resident > info.limit + BEYOND {
            return Err(format!(
                "a guest has {} pages, its limit is {}, its state {}",
                info.resident, info.limit, info.state
            ));
        }
        waiting += u32::from(info.resident * 2 > info.limit);
    }
    let mut events = 0;
    while channel.next_event().is_some() {
        events += 1;
    }
    channel.detach();
    Ok(format!("{{\"abuse\":\"silent\",\"domains\":{},\"at_limit\":{waiting},\"events\":{events}}}", domains.len()))
}
