//! Every unsafe site says why it is sound: `// SAFETY:` above a block or impl, a `# Safety` section
//! (or `SAFETY:`) above a function.

use super::files;
use crate::suites::{Context, Verdict};
use anyhow::Result;

/// Looks at every Rust file.
pub fn check(context: &Context<'_>) -> Result<Verdict> {
    let sources = files::all(context.tree, |path| path.ends_with(".rs"))?;
    Ok(files::verdict(
        sources
            .iter()
            .flat_map(|(path, text)| unexplained(text).into_iter().map(move |line| format!("{path}:{line}")))
            .collect(),
    ))
}

/// Lines (from 1) of unsafe sites without a reason.
fn unexplained(text: &str) -> Vec<usize> {
    let lines: Vec<_> = text.lines().collect();
    (0..lines.len()).filter(|&at| is_site(&code(lines[at])) && !is_explained(&lines, at)).map(|at| at + 1).collect()
}

/// A line without its comment and its string literals.
fn code(line: &str) -> String {
    let line = line.replace("\\\"", "");
    let outside = line.split('"').step_by(2).collect::<String>();
    outside.split("//").next().unwrap_or_default().to_owned()
}

/// Whether the line opens an unsafe block, impl, trait or function, or is an unsafe attribute. `unsafe fn` without a
/// name is a type.
fn is_site(code: &str) -> bool {
    code.match_indices("unsafe").any(|(at, word)| {
        let before = code.get(..at).unwrap_or_default();
        let after = code.get(at + word.len()..).unwrap_or_default().trim_start();
        let is_word = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '"');
        let after = after.strip_prefix("extern").unwrap_or(after).trim_start();
        let is_function = after.strip_prefix("fn ").is_some_and(|name| !name.starts_with('('));
        let is_attribute = before.ends_with("#[") && after.starts_with('(');
        is_word
            && (is_attribute
                || after.starts_with('{')
                || after.starts_with("impl")
                || after.starts_with("trait")
                || is_function)
    })
}

/// A reason on the line, or in the comments and attributes right above it or above the statement that it is part of.
fn is_explained(lines: &[&str], at: usize) -> bool {
    let is_reason = |line: &str| line.contains("SAFETY:") || line.contains("# Safety");
    let is_comment = |line: &str| line.starts_with("//") || line.starts_with("#[");
    let mut above = lines.get(..at).unwrap_or_default().iter().rev().map(|line| line.trim()).peekable();
    while above.next_if(|line| !is_comment(line) && goes_on(line)).is_some() {}
    lines.get(at).is_some_and(|line| is_reason(line)) || above.take_while(|line| is_comment(line)).any(is_reason)
}

/// Whether a statement goes on after this line.
fn goes_on(line: &str) -> bool {
    !line.is_empty() && !code(line).trim_end().ends_with([';', '{', '}'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_with_and_without_reasons() {
        assert_eq!(unexplained("fn f() {\n    unsafe { g() }\n}"), [2]);
        assert_eq!(unexplained("// SAFETY: g is fine.\nlet x = unsafe { g() };"), [0; 0]);
        assert_eq!(unexplained("unsafe impl Send for X {}"), [1]);
        assert_eq!(unexplained("/// # Safety\n/// Call it once.\npub unsafe fn f() {}"), [0; 0]);
        assert_eq!(unexplained("pub unsafe extern \"C\" fn f() {}"), [1]);
        assert_eq!(unexplained("unsafe extern \"C\" {"), [1]);
        assert_eq!(unexplained("#[unsafe(no_mangle)]\nfn f() {}"), [1]);
        assert_eq!(unexplained("// SAFETY: one f.\n#[unsafe(no_mangle)]\nfn f() {}"), [0; 0]);
        assert_eq!(unexplained("// SAFETY: g is fine.\nf(\n    1,\n    unsafe { g() },\n);"), [0; 0]);
        assert_eq!(unexplained("// SAFETY: of the whole.\nunsafe impl A for B {\n    unsafe fn f() {}\n}"), [3]);
        assert_eq!(unexplained("// SAFETY: f is fine.\nunsafe { f() };\nunsafe { g() };"), [3]);
    }

    #[test]
    fn what_is_no_site() {
        for line in ["#![forbid(unsafe_code)]", "// unsafe { }", "type F = unsafe fn(u8);"] {
            assert_eq!(unexplained(line), [0; 0], "{line}");
        }
    }
}
