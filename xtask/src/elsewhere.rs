//! Other systems: the code for macOS and Windows is checked here, where neither is to be had.

use crate::step::Step;
use crate::workshop::Workshop;

const SYSTEMS: &[&str] = &["aarch64-apple-darwin", "x86_64-pc-windows-msvc"];

/// The libraries, which have to be free of lints there as they are here.
const LIBRARIES: &[&str] = &[
    "syncpoint-trace",
    "syncpoint-base",
    "syncpoint-core",
    "syncpoint-host",
    "syncpoint-sim",
    "syncpoint",
];

/// Lints of the libraries, and the types of the program.
pub(crate) fn steps(workshop: &Workshop) -> Vec<Step> {
    let folder = workshop.target.join("elsewhere");
    let on = |line: &str, system: &str| {
        Step::debian(line)
            .words("-Zbuild-std=core,alloc,std --quiet --target")
            .words(system)
            .words("--target-dir")
            .argument(&folder.to_string_lossy())
            // Nothing of it is ever run: this halves the time.
            .words("--config")
            .argument("profile.dev.package.\"*\".opt-level=0")
            .words("--config profile.dev.debug=0")
    };
    let check = |system: &&str| {
        let clippy = LIBRARIES
            .iter()
            .fold(on("clippy", system), |step, name| step.words("-p").argument(name))
            .words("--lib -- -D warnings");
        [clippy, on("check", system).words("-p syncpoint-cli --lib --bins")]
    };
    SYSTEMS.iter().flat_map(check).collect()
}
