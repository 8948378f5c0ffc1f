//! Every bad pipeline file is refused with the text that stands beside it.

use std::{env, fs, path::Path};

use syncpoint_cli::plan::{DeviceName, Plan};

/// Set, it makes the tests write down what they see instead of comparing; the difference is then read by a person.
const BLESS: &str = "SYNCPOINT_BLESS";

#[test]
fn every_bad_file_is_refused_with_its_text() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let mut files: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    assert!(files.len() > 10, "the bad files are gone from {}", folder.display());
    let differences: Vec<String> = files.iter().filter_map(|file| difference(file)).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}

/// What a file is refused with, if that is not the text beside it.
fn difference(file: &Path) -> Option<String> {
    let name = Path::new(file.file_name()?);
    let seen = refusal(name, &fs::read_to_string(file).unwrap_or_default());
    let golden = file.with_extension("txt");
    if env::var_os(BLESS).is_some() && fs::write(&golden, &seen).is_err() {
        return Some(format!("{} cannot be written", golden.display()));
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    let told = || format!("--- {} says\n{seen}--- instead of\n{expected}", name.display());
    (seen != expected).then(told)
}

fn refusal(name: &Path, text: &str) -> String {
    match Plan::parse(name, text, &DeviceName::HOST) {
        Ok(_) => "nothing: it is accepted\n".to_owned(),
        Err(problems) => format!("{problems}\n"),
    }
}

#[test]
fn a_missing_file_is_told_by_its_path() {
    let problems = Plan::load(Path::new("no/such.toml"), &DeviceName::HOST).unwrap_err();
    let text = problems.to_string();
    assert!(text.starts_with("no/such.toml: the file cannot be read: "), "{text}");
}
