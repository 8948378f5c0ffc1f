//! Rule: no package asks for a newer Rust than users were promised, be it ours or one that we depend on.
//!
//! Nothing here is built by that oldest Rust. What is checked of it: this, and by clippy's `incompatible_msrv` that
//! nothing newer of the standard library is named.

use cargo_metadata::semver::Version;
use cargo_metadata::{MetadataCommand, Package};

use crate::workshop;

/// The system whose packages are looked at: no others need be here.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

#[test]
fn no_package_asks_for_a_newer_rust_than_was_promised() {
    let mut command = MetadataCommand::new();
    command.current_dir(workshop::root().unwrap());
    command.other_options(["--locked", "--filter-platform", PLATFORM].map(str::to_owned));
    let metadata = command.exec().unwrap();
    let users = metadata.packages.iter().find(|package| package.name == "syncpoint");
    let promised = users.and_then(|users| users.rust_version.clone()).unwrap();
    let asked = metadata.packages.iter().filter_map(asked);
    super::assert_tidy(offences(&promised, asked));
}

/// A package that says what it asks for.
fn asked(package: &Package) -> Option<(String, Version)> {
    let name = format!("{} {}", package.name, package.version);
    Some((name, package.rust_version.clone()?))
}

fn offences(promised: &Version, asked: impl Iterator<Item = (String, Version)>) -> Vec<String> {
    let newer = asked.filter(|(_, version)| version > promised);
    newer.map(|(name, version)| format!("{name} asks for Rust {version}")).collect()
}

#[test]
fn a_package_may_ask_for_what_was_promised_and_no_more() {
    let asked = [("a 1.0.0", Version::new(1, 90, 0)), ("b 2.0.0", Version::new(1, 91, 0))];
    let asked = asked.map(|(name, version)| (name.to_owned(), version));
    let told = offences(&Version::new(1, 90, 0), asked.into_iter());
    assert_eq!(told, ["b 2.0.0 asks for Rust 1.91.0"]);
}
