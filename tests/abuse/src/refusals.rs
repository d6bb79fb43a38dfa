//! Which commands must be refused for the buffer that they name, whatever else they say.

use abi::command::{Command, op};
use abi::domain::SwappedPage;

/// Bytes of a buffer whose size is the operation's, not the sender's: more than one.
const WHOLE: u64 = u64::MAX;

/// The least result that would say that the hypervisor used the buffer `bad`, which is not dom0's from its second byte
/// on, if not from its first. `None` if the command need not use it.
pub fn least_breach(command: &Command, bad: u64) -> Option<i64> {
    let args = command.args;
    let (buffer, bytes, least) = match command.op {
        op::HOST_INFO | op::DOMAIN_INFO | op::SET_BOOT_STATE => (args[0], WHOLE, 0),
        // The result says how many domains there are: without any nothing is written.
        op::LIST_DOMAINS => (args[0], args[1] & !3, 1),
        op::READ_LOG => (args[1], args[2], 0),
        op::LIST_SWAPPED => (args[1], args[2].saturating_mul(size_of::<SwappedPage>() as u64), 0),
        op::LOAD | op::COPY_PAGE => (args[1], WHOLE, 0),
        op::COPY_OUT | op::COPY_IN => (args[2], args[3], 0),
        op::PAGE_IN_DONE => (args[2], WHOLE, 0),
        op::CREATE | op::ADD_DEVICE => (args[4], WHOLE, 0),
        _ => return None,
    };
    (buffer == bad && bytes > 1).then_some(least)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cubed::channel::hypervisor::command;

    const BAD: u64 = 0xfec0_0000;

    #[test]
    fn only_a_bad_buffer_of_some_bytes_must_be_refused() {
        let least = |op, args| least_breach(&command::<5>(op, 1, args), BAD);
        assert_eq!(least(op::HOST_INFO, [BAD, 0, 0, 0, 0]), Some(0));
        assert_eq!(least(op::HOST_INFO, [0x1000, BAD, 0, 0, 0]), None);
        assert_eq!(least(op::NOP, [BAD; 5]), None);
        assert_eq!(least(op::LIST_DOMAINS, [BAD, 4, 0, 0, 0]), Some(1));
        assert_eq!(least(op::LIST_DOMAINS, [BAD, 3, 0, 0, 0]), None);
        assert_eq!(least(op::READ_LOG, [0, BAD, 1, 0, 0]), None);
        assert_eq!(least(op::READ_LOG, [0, BAD, 2, 0, 0]), Some(0));
        assert_eq!(least(op::LIST_SWAPPED, [0, BAD, u64::MAX, 0, 0]), Some(0));
        assert_eq!(least(op::LIST_SWAPPED, [0, BAD, 0, 0, 0]), None);
        assert_eq!(least(op::COPY_OUT, [1, 0, BAD, 8, 0]), Some(0));
        assert_eq!(least(op::COPY_IN, [1, BAD, 0, 8, 0]), None);
        assert_eq!(least(op::CREATE, [1, 256, 256, 0, BAD]), Some(0));
    }
}
