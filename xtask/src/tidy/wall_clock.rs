//! Rule: no crate that ships the library reads the clock on the wall, which others may set while it is read.
//!
//! A deadline or a time by such a clock ends early, late or never when the clock is set. Nobody can set it in a test, so
//! what is tested is that nothing knows of it.

use crate::tree::Tree;

use super::tokens::tokens;

/// Folders of tests and tools, which may tell people the time of day.
const TOOLS: &[&str] = &["/tests/", "crates/conformance/", "crates/cuda-facts/"];

/// The clock of the standard library, and what system calls name it.
const WALL: &[&str] = &["SystemTime", "UNIX_EPOCH", "CLOCK_REALTIME", "gettimeofday", "Realtime"];

#[test]
fn nothing_that_ships_reads_the_clock_on_the_wall() {
    super::assert_tidy(offences(&super::repository()));
}

fn offences(tree: &Tree) -> Vec<String> {
    let ships = |path: &str| !TOOLS.iter().any(|tools| path.contains(tools));
    let files = tree.rust_under("crates/").filter(|(path, _)| ships(path));
    files.flat_map(|(path, text)| in_file(path, text)).collect()
}

fn in_file(path: &str, text: &str) -> Vec<String> {
    let row = match tokens(text) {
        Ok(row) => row,
        Err(error) => return vec![format!("{path}: {error}")],
    };
    let bad = row.into_iter().filter(|token| WALL.contains(&token.text.as_str()));
    bad.map(|token| format!("{path}:{}: `{}`; use a monotonic clock", token.line, token.text))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_clock_is_found_in_code_and_not_in_words_or_tools() {
        let found = |path, text| offences(&Tree::of(&[(path, text)])).len();
        assert_eq!(found("crates/core/src/wait.rs", "use std::time::SystemTime;"), 1);
        assert_eq!(found("crates/base/src/a.rs", "f(libc::CLOCK_REALTIME, ClockId::Realtime)"), 2);
        assert_eq!(found("crates/core/src/wait.rs", "// SystemTime\nuse std::time::Instant;"), 0);
        assert_eq!(found("crates/cli/tests/a.rs", "use std::time::SystemTime;"), 0);
    }
}
