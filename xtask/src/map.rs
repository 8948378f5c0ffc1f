//! The code map of `ARCHITECTURE.md`: every room with the sentence of its first line.
//!
//! The map stands in a fenced block tagged `map`. A crate's line carries the sentence of its `lib.rs` or `main.rs`;
//! below it come its other rooms, where the crate is one that newcomers need to find their way in. `cargo xtask map`
//! writes the block and a test compares it, so it is never wrong and nobody keeps it by hand.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::Result;
use crate::block;
use crate::tree::Tree;

/// Where the map stands.
pub(crate) const HOME: &str = "ARCHITECTURE.md";

/// The crates from the ground up, which is the order to read them in. Others follow by name.
const ORDER: &[&str] = &[
    "trace",
    "base",
    "core",
    "host",
    "sim",
    "cuda",
    "syncpoint",
    "conformance",
    "cuda-fake",
    "cli",
];

/// The crates whose rooms the map lists one by one.
const OPEN: &[&str] = &["trace", "base", "core", "host", "sim", "cuda", "syncpoint"];

/// Sentences begin in this column, unless a path is longer: a new room then moves no other line.
const COLUMN: usize = 28;

/// Writes the map into its home.
pub(crate) fn renew(root: &Path) -> Result<()> {
    let home = root.join(HOME);
    let text =
        fs::read_to_string(&home).map_err(|error| format!("{HOME} cannot be read: {error}"))?;
    let map = render(&Tree::read(root)?);
    let renewed = block::replace(&text, "map", &map).ok_or_else(|| {
        format!("{HOME} has no block that opens with ```map; add one and ask again")
    })?;
    Ok(fs::write(home, renewed)?)
}

/// Writes the map to the terminal.
pub(crate) fn print(root: &Path) -> Result<()> {
    Ok(write!(io::stdout(), "{}", render(&Tree::read(root)?))?)
}

/// What the block has to hold.
pub(crate) fn render(tree: &Tree) -> String {
    let crates = crates(tree);
    let mut ordered: Vec<&str> = crates.into_iter().collect();
    ordered.sort_by_key(|name| ORDER.iter().position(|known| known == name).unwrap_or(ORDER.len()));
    let mut map: String = ordered.iter().map(|name| render_crate(tree, name)).collect();
    map.push_str(&line("xtask", "xtask/src/main.rs", tree));
    map
}

/// The names of the folders in `crates/`, without repetition, by name.
fn crates(tree: &Tree) -> BTreeSet<&str> {
    let inside = tree.files().filter_map(|(path, _)| path.strip_prefix("crates/"));
    inside.filter_map(|path| path.split_once('/')).map(|(name, _)| name).collect()
}

fn render_crate(tree: &Tree, name: &str) -> String {
    let source = format!("crates/{name}/src/");
    let doors = [format!("{source}lib.rs"), format!("{source}main.rs")];
    let door = doors.iter().find(|door| tree.text(door).is_some()).unwrap_or(&doors[0]);
    let mut lines = line(&format!("crates/{name}"), door, tree);
    if OPEN.contains(&name) {
        let rooms = tree.rust_under(&source).map(|(path, _)| path).filter(|path| path != door);
        lines.extend(rooms.map(|path| line(&format!("  {}", &path[source.len()..]), path, tree)));
    }
    lines
}

fn line(label: &str, path: &str, tree: &Tree) -> String {
    let sentence = tree.text(path).map_or("", sentence);
    format!("{label:<width$}  {sentence}", width = COLUMN - 2).trim_end().to_owned() + "\n"
}

/// The sentence of a file's first line, or nothing where it has none.
pub(crate) fn sentence(text: &str) -> &str {
    text.lines().next().and_then(|first| first.strip_prefix("//! ")).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy;
    use crate::workshop;

    #[test]
    fn the_map_in_the_architecture_is_the_tree() {
        let tree = Tree::read(&workshop::root().unwrap()).unwrap();
        tidy::assert_tidy_whole(offences(&tree));
    }

    #[test]
    fn the_map_leads_from_the_ground_up_and_into_the_open_crates() {
        assert_eq!(render(&tree("")), MAP);
    }

    #[test]
    fn a_fresh_map_is_accepted_and_a_stale_one_is_refused() {
        let count = |text: &str| offences(&tree(text)).unwrap().len();
        assert_eq!(count(&format!("# View\n\n```map\n{MAP}```\n")), 0);
        assert_eq!(count("```map\ncrates/core  An old sentence.\n```\n"), 1);
        assert_eq!(count("no block\n"), 1);
    }

    #[test]
    fn the_sentence_is_the_first_line_and_nothing_else() {
        assert_eq!(sentence("//! What a room is.\n//! More.\n"), "What a room is.");
        assert_eq!(sentence("// No.\n"), "");
        assert_eq!(sentence(""), "");
    }

    fn offences(tree: &Tree) -> std::result::Result<Vec<String>, String> {
        let text = tree.text(HOME).ok_or(HOME)?;
        let is_fresh = block::replace(text, "map", &render(tree)).as_deref() == Some(text);
        let offence = format!("{HOME}: the code map is not the tree; run `cargo xtask map`");
        Ok(if is_fresh { Vec::new() } else { vec![offence] })
    }

    fn tree(architecture: &str) -> Tree {
        Tree::of(&[
            (HOME, architecture),
            ("crates/cli/src/main.rs", "//! The program.\n"),
            ("crates/cli/src/table.rs", "//! A room that the map does not show.\n"),
            ("crates/alpha/src/lib.rs", "//! A crate that nobody ordered.\n"),
            ("crates/core/src/lib.rs", "//! The core.\n"),
            ("crates/core/src/error/kind.rs", "//! What to do about it.\n"),
            ("crates/core/src/a_room_of_a_long_name.rs", "//! Long.\n"),
            ("crates/core/tests/door.rs", "//! Not a room.\n"),
            ("xtask/src/main.rs", "//! The routine.\n"),
        ])
    }

    const MAP: &str = "\
crates/core                 The core.
  a_room_of_a_long_name.rs  Long.
  error/kind.rs             What to do about it.
crates/cli                  The program.
crates/alpha                A crate that nobody ordered.
xtask                       The routine.
";
}
