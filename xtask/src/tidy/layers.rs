//! Rule: no crate ships with a dependency on one that it must not know.

use cargo_metadata::{DependencyKind, Metadata, Package};

use crate::workshop;

/// Each package of the workspace, with those of the others that it may know.
///
/// A new package gets a line here, and with it a place in the house.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("syncpoint-trace", &[]),
    ("syncpoint-base", &[]),
    ("syncpoint-core", &["syncpoint-trace", "syncpoint-base"]),
    ("syncpoint-host", &["syncpoint-base", "syncpoint-core"]),
    ("syncpoint-sim", &["syncpoint-base", "syncpoint-core"]),
    ("syncpoint-cuda", &["syncpoint-base", "syncpoint-core"]),
    ("syncpoint-vulkan", &["syncpoint-base", "syncpoint-core"]),
    ("syncpoint-metal", &["syncpoint-base", "syncpoint-core"]),
    (
        "syncpoint",
        &[
            "syncpoint-trace",
            "syncpoint-base",
            "syncpoint-core",
            "syncpoint-host",
            "syncpoint-sim",
            "syncpoint-cuda",
            "syncpoint-vulkan",
            "syncpoint-metal",
        ],
    ),
    (
        "syncpoint-conformance",
        &["syncpoint-base", "syncpoint-core", "syncpoint-host", "syncpoint-sim", "syncpoint"],
    ),
    ("syncpoint-cuda-fake", &["syncpoint-base", "syncpoint-core", "syncpoint-host"]),
    ("syncpoint-cli", &["syncpoint-trace", "syncpoint"]),
    ("syncpoint-python", &["syncpoint-cli", "syncpoint"]),
    // It asks drivers, and knows nothing of what we make of the answers.
    ("syncpoint-cuda-facts", &["syncpoint-base"]),
    ("xtask", &[]),
];

#[test]
fn no_package_knows_one_that_it_must_not_know() {
    let metadata = workshop::metadata(&workshop::root().unwrap()).unwrap();
    super::assert_tidy(
        metadata
            .packages
            .iter()
            .flat_map(|package| offences(package.name.as_str(), &shipped(package, &metadata))),
    );
}

/// The packages of the workspace that this one needs to be built. What its tests need does not count: the examples
/// in core's documentation run on a backend, and ship with nothing.
fn shipped<'a>(package: &'a Package, metadata: &Metadata) -> Vec<&'a str> {
    let is_ours = |name: &str| metadata.packages.iter().any(|package| package.name == name);
    let shipped =
        package.dependencies.iter().filter(|known| known.kind != DependencyKind::Development);
    shipped.map(|known| known.name.as_str()).filter(|name| is_ours(name)).collect()
}

fn offences(package: &str, knows: &[&str]) -> Vec<String> {
    let Some((_, allowed)) = MAY_KNOW.iter().find(|(name, _)| *name == package) else {
        return vec![format!("{package}: has no place yet; say in layers.rs what it may know")];
    };
    let bad = knows.iter().filter(|known| !allowed.contains(known));
    bad.map(|known| format!("{package}: must not know {known}")).collect()
}

#[test]
fn a_layer_may_know_those_below_it() {
    assert_eq!(offences("syncpoint-core", &["syncpoint-base", "syncpoint-trace"]), [""; 0]);
    assert_eq!(offences("syncpoint-sim", &["syncpoint-core"]), [""; 0]);
    assert_eq!(offences("syncpoint-cli", &["syncpoint"]), [""; 0]);
}

#[test]
fn a_layer_may_know_none_above_or_beside_it() {
    for (package, known) in [
        ("syncpoint-trace", "syncpoint-base"),
        ("syncpoint-base", "syncpoint-trace"),
        ("syncpoint-core", "syncpoint-host"),
        ("syncpoint-host", "syncpoint-sim"),
        ("syncpoint-sim", "syncpoint-host"),
        ("syncpoint-sim", "syncpoint-trace"),
        ("syncpoint", "syncpoint-conformance"),
        ("syncpoint-cli", "syncpoint-core"),
        ("xtask", "syncpoint-trace"),
    ] {
        assert_eq!(offences(package, &[known]), [format!("{package}: must not know {known}")]);
    }
}

#[test]
fn a_package_without_a_place_is_refused() {
    assert!(offences("syncpoint-rocm", &[])[0].starts_with("syncpoint-rocm: has no place yet"));
}

#[test]
fn what_only_tests_need_is_not_counted_as_known() {
    let metadata = workshop::metadata(&workshop::root().unwrap()).unwrap();
    let own = metadata.packages.iter().find(|package| package.name == "xtask").unwrap();
    assert!(own.dependencies.iter().any(|known| known.kind == DependencyKind::Development));
    assert_eq!(shipped(own, &metadata), [""; 0]);
}
