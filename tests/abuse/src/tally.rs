//! What came of the commands.

use abi::command::Command;
use std::collections::BTreeMap;

/// Results by their kind.
#[derive(Default)]
pub struct Tally {
    /// Commands that were worked off.
    pub commands: u64,
    /// Those among them that had to be refused for their buffer.
    pub bad_buffers: u64,
    /// Events that came.
    pub events: u64,
    by_result: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts a worked-off command.
    pub fn take(&mut self, command: &Command) {
        self.commands += 1;
        let name = match u64::try_from(command.result) {
            Ok(_) => "Done".to_owned(),
            Err(_) => format!("{:?}", abi::Error::from_code(command.result)),
        };
        *self.by_result.entry(name).or_default() += 1;
    }

    /// In a line of JSON.
    pub fn report(&self, seed: u64, domains: u64) -> String {
        serde_json::json!({
            "abuse": "end", "seed": seed, "commands": self.commands, "bad_buffers": self.bad_buffers, "events": self.events,
            "domains": domains, "results": self.by_result,
        })
        .to_string()
    }
}
