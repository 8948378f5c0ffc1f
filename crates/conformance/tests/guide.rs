//! The guide to the laws has each law in the section of its case.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn every_law_of_the_guide_is_a_case_in_the_file_of_its_section() {
    let guide = fs::read_to_string(root().join("docs/laws.md")).unwrap();
    let (laws, _) = guide.split_once("## Bad inputs").unwrap();
    let (mut cases, mut count) = (String::new(), 0);
    for row in laws.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        if cells[0].starts_with("**") {
            let file = root().join("crates/conformance/src").join(cells[2].trim_matches('`'));
            cases = fs::read_to_string(file).unwrap();
        } else if let Some(law) = cells[0].strip_prefix('`') {
            let law = law.trim_end_matches('`');
            assert!(cases.contains(&format!("pub fn {law}(")), "{law} is no case of its section");
            assert!(cells[2].starts_with("case"), "{law} is tested by its case, whatever else");
            count += 1;
        }
    }
    assert_eq!(count, syncpoint_conformance::LAWS.len());
}
