//! Texts that tests hold to the letter, each in a file of `tests/golden`.

use std::{env, fs, path::Path};

/// Compares a text with the one on file. With `SYNCPOINT_BLESS` set it is written there first, for a person to read
/// in the difference.
#[track_caller]
pub(crate) fn check(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    if env::var_os("SYNCPOINT_BLESS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{file} says\n{text}--- instead of\n{expected}");
}
