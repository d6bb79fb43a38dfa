//! The house rules that a program can check.

mod cargo;
mod dependencies;
mod files;
mod marks;
mod safety;
mod sizes;

use crate::suites::{Case, Runner};

/// A case for each rule.
pub fn cases() -> Vec<Case> {
    vec![
        case("lint/clippy", "clippy finds nothing, in host and bare-metal crates", u32::MAX, Box::new(cargo::clippy)),
        case("lint/format", "rustfmt would change nothing", 1, Box::new(cargo::format)),
        case("lint/safety", "every unsafe block, impl and fn says why it is sound", 1, Box::new(safety::check)),
        case("lint/sizes", "no source file is too long to be one idea", 1, Box::new(sizes::check)),
        case("lint/dependencies", "each dependency is explained, with its users", 1, Box::new(dependencies::check)),
        case("lint/marks", "no unfinished marks and no paths of one machine", 1, Box::new(marks::check)),
    ]
}

fn case(name: &str, about: &str, cpus: u32, run: Runner) -> Case {
    Case {
        name: name.to_owned(),
        about: about.to_owned(),
        tags: vec!["lint".to_owned()],
        skip: None,
        machine: None,
        cpus,
        limit: 0,
        build: None,
        run,
    }
}
