//! Other systems: the code for macOS and Windows is checked here, where neither is to be had.

use crate::step::Step;
use crate::workshop::Workshop;

/// The systems, with what is checked for types besides the libraries and what is free of lints. On macOS that is everything,
/// tests and benches included; on Windows some programs of tests need what only Unix has.
const SYSTEMS: [(&str, &str); 2] =
    [("aarch64-apple-darwin", "--workspace --all-targets"), ("x86_64-pc-windows-msvc", ON_WINDOWS)];

/// The libraries, which have to be free of lints there as they are here.
const LIBRARIES: &[&str] = &[
    "syncpoint-trace",
    "syncpoint-base",
    "syncpoint-core",
    "syncpoint-host",
    "syncpoint-sim",
    "syncpoint-cuda",
    "syncpoint-vulkan",
    "syncpoint-metal",
    "syncpoint",
];

/// What is free of lints with its tests, programs and benches: what runs everywhere, and the laws that are tried on it.
const WITH_TESTS: &str =
    "-p syncpoint-core -p syncpoint-host -p syncpoint-sim -p syncpoint-conformance --all-targets";

const ON_WINDOWS: &str = "-p syncpoint-trace -p syncpoint-base -p syncpoint-core -p syncpoint-host -p syncpoint-sim \
    -p syncpoint-metal -p syncpoint-vulkan -p syncpoint -p syncpoint-cli --lib --bins --tests --examples";

/// Lints of the libraries, and of the tests of those that run everywhere; the types of the program, and of other tests.
pub(crate) fn steps(workshop: &Workshop) -> Vec<Step> {
    SYSTEMS.iter().flat_map(|(system, rest)| check(workshop, system, rest)).collect()
}

fn check(workshop: &Workshop, system: &str, rest: &str) -> [Step; 3] {
    let libraries = LIBRARIES
        .iter()
        .fold(on(workshop, "clippy", system), |step, name| step.words("-p").argument(name))
        .words("--all-features --lib -- -D warnings");
    let tests = on(workshop, "clippy", system).words(WITH_TESTS).words("-- -D warnings");
    [libraries, tests, on(workshop, "check", system).words(rest)]
}

fn on(workshop: &Workshop, line: &str, system: &str) -> Step {
    let folder = workshop.target.join("elsewhere");
    Step::debian(line)
        .words("-Zbuild-std=core,alloc,std --quiet --target")
        .words(system)
        .words("--target-dir")
        .argument(&folder.to_string_lossy())
        // Nothing of it is ever run: this halves the time.
        .words("--config")
        .argument("profile.dev.package.\"*\".opt-level=0")
        .words("--config profile.dev.debug=0")
}
