//! Rule: what `docs/decisions.md` counts of the contract of backends is what stands in the code.

use crate::tree::Tree;

const DECISIONS: &str = "docs/decisions.md";
const CORE: &str = "crates/core/src/";

/// The traits that a backend with a driver implements, each with its file.
const TRAITS: [(&str, &str); 3] = [
    ("RawDevice", "crates/core/src/contract.rs"),
    ("RawBuffer", "crates/core/src/contract.rs"),
    ("Driver", "crates/core/src/hold/driver.rs"),
];

#[test]
fn what_is_counted_of_the_contract_is_what_is_there() {
    super::assert_tidy_whole(offences(&super::repository()));
}

fn offences(tree: &Tree) -> Result<Vec<String>, String> {
    let decisions = tree.text(DECISIONS).ok_or(DECISIONS)?;
    let methods = TRAITS.map(|(name, path)| tree.text(path).and_then(|text| methods(text, name)));
    let [device, buffer, driver] = methods.map(|methods| methods.ok_or(CORE));
    let (device, buffer, driver) = (device?, buffer?, driver?);
    let expected = [
        ("required methods of ", join([device.0, buffer.0, driver.0])),
        ("methods that core provides ", join([device.1, buffer.1, driver.1])),
        ("places in core that ask whether each ", lines(tree, "D::SIGNALS_EACH").to_string()),
        ("places in core that ask whether there ", lines(tree, "D::DELAYS").to_string()),
        ("places in core that ask whether a wait ", lines(tree, "D::WAITS_AGAIN").to_string()),
        ("places in core that ask whether the driver ", lines(tree, "D::KEEPS").to_string()),
        ("places in core that ask whether its waits ", lines(tree, "D::LIMITS_WAITS").to_string()),
        ("places in core that ask whether waits go ", lines(tree, "D::DEFERS_WAITS").to_string()),
    ];
    let told = expected.iter().filter_map(|(row, count)| told(decisions, row, count));
    Ok(told.collect())
}

fn join(counts: [usize; 3]) -> String {
    counts.map(|count| count.to_string()).join(", ")
}

/// The methods of a trait without a body, and those with one.
fn methods(text: &str, name: &str) -> Option<(usize, usize)> {
    let start = text.find(&format!("pub trait {name}:"))?;
    let body = &text[start..start + text[start..].find("\n}\n")?];
    let signatures = body.split("\n    fn ").skip(1);
    let ends = signatures.map(|rest| rest.find([';', '{']).map(|end| &rest[end..=end]));
    let ends: Vec<_> = ends.collect();
    let count = |end: &str| ends.iter().filter(|other| **other == Some(end)).count();
    Some((count(";"), count("{")))
}

/// The lines of core's code with these words, tests and models left out.
fn lines(tree: &Tree, words: &str) -> usize {
    let files = tree.rust_under(CORE).filter(|(path, _)| !is_test(path));
    files.map(|(_, text)| text.lines().filter(|line| is_code_with(line, words)).count()).sum()
}

fn is_test(path: &str) -> bool {
    ["/tests/", "/model/", "/tests.rs", "/model.rs"].iter().any(|part| path.contains(part))
}

fn is_code_with(line: &str, words: &str) -> bool {
    line.contains(words) && !line.trim_start().starts_with("//")
}

/// What is wrong with the last cell of a row.
fn told(decisions: &str, row: &str, count: &str) -> Option<String> {
    let row = format!("| {row}");
    let line = decisions.lines().find(|line| line.starts_with(&row));
    let cell = line.and_then(|line| line.strip_suffix(" |")?.rsplit(" | ").next());
    let wrong = cell != Some(count);
    wrong.then(|| {
        format!("{DECISIONS}: `{row}` says {}, and it is {count}", cell.unwrap_or("nothing"))
    })
}

#[test]
fn methods_are_counted_by_whether_they_have_a_body() {
    let text = "pub trait A: B {\n    const C: u8;\n    fn a(\n        &self,\n    ) -> u8;\n\n    fn b(&self) {}\n\n    \
                /// A `fn e`.\n    fn c(&self);\n}\n\nfn d();\n";
    assert_eq!(methods(text, "A"), Some((2, 1)));
    assert_eq!(methods(text, "Z"), None);
}

#[test]
fn a_count_that_is_not_so_is_told_with_what_is() {
    let decisions = "| | now |\n| required methods of `A` | 1 | 2 |\n";
    assert_eq!(told(decisions, "required methods of ", "2"), None);
    let wrong = told(decisions, "required methods of ", "3").unwrap();
    assert!(wrong.ends_with("says 2, and it is 3"), "{wrong}");
    assert!(told(decisions, "places ", "3").is_some());
}

#[test]
fn comments_and_tests_ask_nothing() {
    let files = [
        ("crates/core/src/a.rs", "if D::DELAYS {\n// D::DELAYS\nlet a = D::DELAYS && D::DELAYS;\n"),
        ("crates/core/src/a/tests/b.rs", "D::DELAYS\n"),
        ("crates/core/src/a/model.rs", "D::DELAYS\n"),
    ];
    assert_eq!(lines(&Tree::of(&files), "D::DELAYS"), 2);
}
