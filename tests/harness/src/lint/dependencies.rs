//! Each dependency of each crate is explained in `docs/dependencies.md`, and nothing else is.
//!
//! A line there is "- `name`, ... (used by CRATES; tests of CRATES): why". The project's own crates are not
//! dependencies.

use super::files;
use crate::suites::{Context, Verdict};
use anyhow::{Context as _, Result};
use std::{collections::BTreeSet, fs};
use toml::{Table, Value};

const LIST: &str = "docs/dependencies.md";

/// A dependency, the crate that has it, and whether only its tests do.
type Use = (String, String, bool);

/// Compares.
pub fn check(context: &Context<'_>) -> Result<Verdict> {
    let manifests = files::all(context.tree, |path| path == "Cargo.toml" || path.ends_with("/Cargo.toml"))?;
    let tables: Vec<Table> =
        manifests.iter().map(|(path, text)| text.parse().with_context(|| path.clone())).collect::<Result<_>>()?;
    let shared = tables.iter().find_map(|table| table.get("workspace")?.get("dependencies")?.as_table());
    let mut used: BTreeSet<Use> = tables.iter().flat_map(|table| uses(table, shared)).collect();
    let all = used.clone();
    used.retain(|(name, user, is_test)| !is_test || !all.contains(&(name.clone(), user.clone(), false)));
    let text = fs::read_to_string(context.tree.root.join(LIST)).context(LIST)?;
    let (explained, mut complaints) = explanations(&text);
    complaints.extend(used.difference(&explained).map(|a| format!("{LIST} does not have: {}", told(a))));
    complaints.extend(explained.difference(&used).map(|a| format!("{LIST} has, and no Cargo.toml: {}", told(a))));
    Ok(files::verdict(complaints))
}

fn told((name, user, is_test): &Use) -> String {
    format!("`{name}` ({} {user})", if *is_test { "tests of" } else { "used by" })
}

/// What a manifest depends on outside of the project; `shared` is what it may inherit.
fn uses(manifest: &Table, shared: Option<&Table>) -> Vec<Use> {
    let Some(user) = manifest.get("package").and_then(|package| package.get("name")?.as_str()) else {
        return Vec::new();
    };
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let tables = targets.filter_map(Value::as_table).chain([manifest]);
    let kinds = [("dependencies", false), ("build-dependencies", false), ("dev-dependencies", true)];
    let each =
        tables.flat_map(|table| kinds.map(|(kind, is_test)| (table.get(kind).and_then(Value::as_table), is_test)));
    each.flat_map(|(table, is_test)| table.into_iter().flatten().map(move |entry| (entry, is_test)))
        .filter(|((name, entry), _)| !is_own(entry) && !shared.and_then(|all| all.get(*name)).is_some_and(is_own))
        .map(|((name, _), is_test)| (name.clone(), user.to_owned(), is_test))
        .collect()
}

fn is_own(entry: &Value) -> bool {
    entry.get("path").is_some()
}

/// What the list explains, and its lines that are not of its form.
fn explanations(text: &str) -> (BTreeSet<Use>, Vec<String>) {
    let (mut all, mut complaints) = (BTreeSet::new(), Vec::new());
    for (number, line) in (1..).zip(text.lines()) {
        let Some(line) = line.strip_prefix("- ") else { continue };
        match explanation(line) {
            Some(uses) => all.extend(uses),
            None => complaints.push(format!("{LIST}:{number}: not \"- `name` (used by ...; tests of ...): why\"")),
        }
    }
    (all, complaints)
}

fn explanation(line: &str) -> Option<Vec<Use>> {
    let (names, rest) = line.split_once(" (")?;
    let (users, why) = rest.split_once("): ")?;
    let mut uses = Vec::new();
    for part in users.split("; ") {
        let (list, is_test) = part
            .strip_prefix("used by ")
            .map(|list| (list, false))
            .or_else(|| Some((part.strip_prefix("tests of ")?, true)))?;
        for name in names.split(", ") {
            let name = name.strip_prefix('`')?.strip_suffix('`')?;
            uses.extend(list.split(", ").map(|user| (name.to_owned(), user.to_owned(), is_test)));
        }
    }
    (!why.is_empty()).then_some(uses)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn manifests() {
        let shared = "own = { path = 'x' }\nbits = '1'".parse::<Table>().unwrap();
        let text = "[package]\nname = 'me'\n[dependencies]\nown.workspace = true\nbits.workspace = true\nnear = { path = 'y' }\n\
                    [dev-dependencies]\nrandom = '1'\n[target.'cfg(unix)'.dependencies]\nlibc = '1'";
        let found = uses(&text.parse().unwrap(), Some(&shared));
        let found: Vec<_> = found.iter().map(told).collect();
        assert_eq!(found, ["`libc` (used by me)", "`bits` (used by me)", "`random` (tests of me)"]);
    }

    #[test]
    fn lines() {
        let (found, complaints) = explanations("Why.\n\n- `a`, `b` (used by x; tests of y): it is good.");
        assert_eq!((found.len(), complaints.len()), (4, 0));
        assert!(found.contains(&("b".to_owned(), "y".to_owned(), true)));
        for wrong in ["- `a`: for x", "- `a` (of x): it is good", "- a (used by x): it is good", "- `a` (used by x): "]
        {
            assert_eq!(explanations(wrong).1.len(), 1, "{wrong}");
        }
    }
}
