//! Rule: the changelog has a place for what comes next, and only the headings that its readers know.

use crate::tree::Tree;

const HOME: &str = "CHANGELOG.md";

const HEADINGS: &[&str] = &["Added", "Changed", "Fixed", "Cost", "Backends"];

#[test]
fn the_changelog_has_an_unreleased_part_and_known_headings() {
    super::assert_tidy(offences(&super::repository()));
}

fn offences(tree: &Tree) -> Vec<String> {
    let text = tree.text(HOME).unwrap_or("");
    let missing = text.lines().all(|line| line != "## Unreleased");
    let missing = missing.then(|| format!("{HOME}: has no heading `## Unreleased`"));
    missing.into_iter().chain(unknown_headings(text)).collect()
}

fn unknown_headings(text: &str) -> impl Iterator<Item = String> {
    let headings = text.lines().filter_map(|line| line.strip_prefix("### "));
    headings
        .filter(|heading| !HEADINGS.contains(heading))
        .map(|heading| format!("{HOME}: `### {heading}` is none of {}", HEADINGS.join(", ")))
}

#[test]
fn a_changelog_with_its_headings_is_accepted() {
    let text = "# Changelog\n\n## Unreleased\n\n### Added\n\n- A gate.\n\n## 0.1.0\n\n### Cost\n";
    assert_eq!(offences(&Tree::of(&[(HOME, text)])), [""; 0]);
}

#[test]
fn an_unknown_heading_is_refused() {
    let text = "## Unreleased\n\n### Improvements\n";
    let expected =
        "CHANGELOG.md: `### Improvements` is none of Added, Changed, Fixed, Cost, Backends";
    assert_eq!(offences(&Tree::of(&[(HOME, text)])), [expected]);
}

#[test]
fn a_changelog_without_a_place_for_what_comes_next_is_refused() {
    assert_eq!(offences(&Tree::of(&[(HOME, "## 0.1.0\n")])).len(), 1);
    assert_eq!(offences(&Tree::of(&[])).len(), 1);
}
