//! Rule: a file that has grown past its idea is cut into rooms.

use crate::tree::Tree;

/// STYLE asks for 100 to 300 lines; at 500 nobody can say any more what the one idea is.
const LIMIT: usize = 500;

/// Files that may be longer, each with its reason.
const LONGER: &[(&str, &str)] = &[];

#[test]
fn no_rust_file_is_longer_than_500_lines() {
    super::assert_tidy(offences(&super::repository(), LONGER));
}

fn offences(tree: &Tree, longer: &[(&str, &str)]) -> Vec<String> {
    let is_listed = |path: &str| longer.iter().any(|(listed, _)| *listed == path);
    let sizes = tree.rust_under("").map(|(path, text)| (path, text.lines().count()));
    let bad = sizes.filter(|(path, lines)| (*lines > LIMIT) != is_listed(path));
    bad.map(|(path, lines)| offence(path, lines)).collect()
}

fn offence(path: &str, lines: usize) -> String {
    if lines > LIMIT {
        format!("{path}: {lines} lines; make two rooms of it (at most {LIMIT})")
    } else {
        format!("{path}: {lines} lines; take it off the list of longer files")
    }
}

#[test]
fn the_limit_itself_is_accepted_and_one_line_more_is_refused() {
    let tree = Tree::of(&[("at.rs", &"\n".repeat(LIMIT)), ("over.rs", &"\n".repeat(LIMIT + 1))]);
    assert_eq!(offences(&tree, &[]), ["over.rs: 501 lines; make two rooms of it (at most 500)"]);
}

#[test]
fn a_listed_file_may_be_longer_until_it_no_longer_is() {
    let listed = [("over.rs", "for this test"), ("at.rs", "for this test")];
    let tree = Tree::of(&[("at.rs", &"\n".repeat(LIMIT)), ("over.rs", &"\n".repeat(LIMIT + 1))]);
    assert_eq!(
        offences(&tree, &listed),
        ["at.rs: 500 lines; take it off the list of longer files"]
    );
}
