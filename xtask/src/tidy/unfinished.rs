//! Rule: what is unfinished is an issue or a sentence, not a mark in a file.

use crate::tree::Tree;

/// Put together here, so that this file does not offend its own rule.
const MARKS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];

#[test]
fn no_file_carries_a_mark_of_unfinished_work() {
    super::assert_tidy(offences(&super::repository()));
}

fn offences(tree: &Tree) -> Vec<String> {
    let lines = tree.files().flat_map(|(path, text)| {
        text.lines().enumerate().map(move |(index, line)| (path, index + 1, line))
    });
    let marked = lines.filter_map(|(path, number, line)| Some((path, number, mark_in(line)?)));
    marked
        .map(|(path, number, mark)| format!("{path}:{number}: {mark}; finish it or file it"))
        .collect()
}

fn mark_in(line: &str) -> Option<&'static str> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut words = line.split(|letter| !is_part(letter));
    words.find_map(|word| MARKS.iter().copied().find(|mark| *mark == word))
}

#[test]
fn each_mark_is_refused_where_it_stands() {
    for mark in MARKS {
        let text = format!("fn f() {{}}\n// {mark}: later\n");
        let tree = Tree::of(&[("a.rs", &text)]);
        assert_eq!(offences(&tree), [format!("a.rs:2: {mark}; finish it or file it")]);
    }
}

#[test]
fn a_mark_within_a_word_is_no_mark() {
    let name = format!("mktemp /tmp/{0}{0} {0}_LIST a{0}\n", MARKS[2]);
    assert_eq!(offences(&Tree::of(&[("run", &name)])), [""; 0]);
}
