//! Rule: the kinds of error in the guide are the kinds in the code.
//!
//! The guide is the first table of `docs/errors.md`; the code is `pub enum Kind` in core's room `error`.

use crate::tree::Tree;

use super::table;
use super::tokens::{Token, tokens};

const GUIDE: &str = "docs/errors.md";
const CODE: &str = "crates/core/src/error";

#[test]
fn the_guide_to_errors_lists_the_kinds_of_the_code() {
    super::assert_tidy_whole(offences(&super::repository()));
}

fn offences(tree: &Tree) -> Result<Vec<String>, String> {
    let guide = in_guide(tree).ok_or(GUIDE)?;
    let code = in_code(tree).ok_or_else(|| format!("`enum Kind` in {CODE}"))?;
    let unwritten = code.iter().filter(|kind| !guide.contains(kind));
    let unwritten = unwritten.map(|kind| format!("{GUIDE}: the first table lacks `{kind}`"));
    let unknown = guide.iter().filter(|kind| !code.contains(kind));
    let unknown = unknown.map(|kind| format!("{GUIDE}: no kind is called `{kind}`"));
    Ok(unwritten.chain(unknown).collect())
}

fn in_guide(tree: &Tree) -> Option<Vec<String>> {
    let text = table::through_first_table(tree.text(GUIDE)?);
    Some(table::names(text).map(str::to_owned).collect())
}

fn in_code(tree: &Tree) -> Option<Vec<String>> {
    tree.rust_under(CODE).find_map(|(_, text)| variants(&tokens(text).ok()?))
}

/// The variants of `enum Kind`: the words that follow its brace, or a comma, at the depth of its body.
fn variants(tokens: &[Token]) -> Option<Vec<String>> {
    let head = tokens
        .windows(3)
        .position(|three| three[0].is("enum") && three[1].is("Kind") && three[2].is("{"))?;
    let mut variants = Vec::new();
    let (mut depth, mut may_name) = (1, true);
    for token in &tokens[head + 3..] {
        depth = token.depth_after(depth);
        match token.text.as_str() {
            _ if depth == 0 => break,
            "," if depth == 1 => may_name = true,
            name if depth == 1 && may_name && token.is_word() => {
                variants.push(name.to_owned());
                may_name = false;
            }
            _ => {}
        }
    }
    Some(variants)
}

#[test]
fn variants_are_read_past_attributes_numbers_and_fields() {
    let text = "//! Kinds.\n#[repr(u8)]\npub enum Kind {\n/// Fix the `Code`, please.\nMisuse = 1,\n\
                #[doc(alias = \"a, b\")]\nDriver { code: i32, name: u8 } = 2,\nFailed(u8, u8)\n}\nenum Other { A }";
    assert_eq!(variants(&tokens(text).unwrap()).unwrap(), ["Misuse", "Driver", "Failed"]);
}

#[test]
fn equal_lists_are_accepted_and_later_tables_are_not_kinds() {
    let guide =
        "| kind | do |\n|---|---|\n| `Misuse` | fix |\n| `Failed` | look |\n\n| `NotTimed` | |\n";
    assert_eq!(offences(&tree(guide)).unwrap(), [""; 0]);
}

#[test]
fn a_kind_on_one_side_only_is_refused_with_its_name() {
    let offences = offences(&tree("| `Misuse` | fix |\n| `Broken` | look |\n")).unwrap();
    let expected = [
        "docs/errors.md: the first table lacks `Failed`",
        "docs/errors.md: no kind is called `Broken`",
    ];
    assert_eq!(offences, expected);
}

#[test]
fn a_side_that_is_not_written_yet_is_named() {
    assert_eq!(offences(&Tree::of(&[])).unwrap_err(), GUIDE);
    let tree = Tree::of(&[(GUIDE, "| `Misuse` | |\n")]);
    assert_eq!(offences(&tree).unwrap_err(), "`enum Kind` in crates/core/src/error");
}

fn tree(guide: &str) -> Tree {
    let code = "//! Kinds.\npub enum Kind { Misuse, Failed }\n";
    Tree::of(&[(GUIDE, guide), ("crates/core/src/error/kind.rs", code)])
}
