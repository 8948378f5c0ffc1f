//! What a part needs beyond Rust: found, installed where this program may, or told.

use std::env;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// A package of Debian.
#[derive(Debug)]
pub(crate) struct Package {
    name: &'static str,
    /// A file by which it is known, whoever put it there.
    file: &'static str,
}

/// Debian's own compiler. Its sources are those it was built from, so that it can build the standard library once
/// more: for systems whose library is not here, and with a sanitizer in it.
const RUSTC: Package = Package { name: "rustc-web", file: "/usr/bin/rustc" };
const CARGO: Package = Package { name: "cargo-web", file: "/usr/bin/cargo" };
const SOURCE: Package = Package { name: "rust-web-src", file: "/usr/lib/rustlib/src/rust/library" };
const CLIPPY: Package = Package { name: "rust-web-clippy", file: "/usr/bin/clippy-driver" };

/// The runtime of the thread sanitizer, of the same LLVM as Debian's compiler: the one that a program shares with the
/// libraries that it loads.
pub(crate) const THREAD_RUNTIME: &str =
    "/usr/lib/llvm-22/lib/clang/22/lib/linux/libclang_rt.tsan-x86_64.so";

/// What gives names and lines to the addresses in a sanitizer's report.
pub(crate) const SYMBOLIZER: &str = "/usr/lib/llvm-22/bin/llvm-symbolizer";

/// To check code for another system.
pub(crate) const ELSEWHERE: &[Package] = &[RUSTC, CARGO, SOURCE, CLIPPY];

/// To build everything, the standard library included, with the thread sanitizer.
pub(crate) const THREAD_SANITIZER: &[Package] = &[
    RUSTC,
    CARGO,
    SOURCE,
    Package { name: "libclang-rt-22-dev", file: THREAD_RUNTIME },
    Package { name: "lld-22", file: "/usr/lib/llvm-22/bin/ld.lld" },
    Package { name: "llvm-22", file: SYMBOLIZER },
];

/// To read the reports of the address sanitizer, which comes with Rust, and drivers to run under it.
pub(crate) const ADDRESS_SANITIZER: &[Package] =
    &[Package { name: "llvm-22", file: SYMBOLIZER }, VULKAN_LOADER, MESA, CHROMIUM];

/// To count instructions.
pub(crate) const VALGRIND: &[Package] = &[Package { name: "valgrind", file: "/usr/bin/valgrind" }];

/// To make a room for packages of Python; what Debian leaves out of Python is the file.
pub(crate) const PYTHON: &[Package] = &[
    Package { name: "python3", file: "/usr/bin/python3" },
    Package { name: "python3-venv", file: "/usr/lib/python3.11/ensurepip" },
];

/// The software driver of Mesa, by which it is chosen among the drivers of a machine.
pub(crate) const LAVAPIPE: &str = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json";

/// The software driver of Chromium, likewise.
pub(crate) const SWIFTSHADER: &str = "/usr/lib/chromium/vk_swiftshader_icd.json";

const VULKAN_LOADER: Package =
    Package { name: "libvulkan1", file: "/usr/lib/x86_64-linux-gnu/libvulkan.so.1" };
const MESA: Package = Package { name: "mesa-vulkan-drivers", file: LAVAPIPE };
const CHROMIUM: Package = Package { name: "chromium", file: SWIFTSHADER };

/// A driver of Vulkan, for what is tried on one alone.
pub(crate) const LAVAPIPE_ALONE: &[Package] = &[VULKAN_LOADER, MESA];

/// Two drivers of Vulkan that compute on the CPU and share no code, and the layer that checks what they are asked.
pub(crate) const VULKAN: &[Package] = &[
    VULKAN_LOADER,
    MESA,
    Package {
        name: "vulkan-validationlayers",
        file: "/usr/share/vulkan/explicit_layer.d/VkLayer_khronos_validation.json",
    },
    CHROMIUM,
];

/// To build the fuzzing engine, which is C++.
pub(crate) const FUZZER: &[Package] = &[Package { name: "g++", file: "/usr/bin/g++" }];

/// Sees to it that all are there, and installs those that are not where this program may.
///
/// What is still missing is told as the command that installs it.
pub(crate) fn provide(packages: &[Package]) -> Option<String> {
    // Debian installs one thing at a time.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let command = installation(packages)?;
    if may_install() {
        install(&command);
    }
    installation(packages)
}

/// The command that installs what is not there; none if nothing is missing.
fn installation(packages: &[Package]) -> Option<String> {
    let missing = packages.iter().filter(|package| !Path::new(package.file).exists());
    let names: Vec<&str> = missing.map(|package| package.name).collect();
    let install = "apt-get install --yes --no-install-recommends";
    (!names.is_empty()).then(|| format!("{install} {}", names.join(" ")))
}

/// Only a machine of Debian's where nobody has to be asked for a password.
fn may_install() -> bool {
    let is_root = |output: std::process::Output| output.stdout.trim_ascii() == b"0";
    Path::new("/usr/bin/apt-get").exists()
        && Command::new("id").arg("-u").output().is_ok_and(is_root)
}

/// Whether it came to anything is seen by the files.
fn install(command: &str) {
    for line in ["apt-get update --quiet", command] {
        writeln!(io::stdout(), "$ {line}").ok();
        let mut words = line.split(' ');
        let program = words.next().unwrap_or_default();
        let mut run = Command::new(program);
        run.args(words).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
        if let Err(error) = run.status() {
            writeln!(io::stdout(), "{program} cannot be run: {error}").ok();
        }
    }
}

/// Whether this is a machine on which nothing may be left out: `.ci/run` says so in `SYNCPOINT_CI`.
pub(crate) fn all_is_needed() -> bool {
    env::var_os("SYNCPOINT_CI").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Package = Package { name: "here", file: "/" };
    const GONE: Package = Package { name: "gone", file: "/no/such/file" };
    const LOST: Package = Package { name: "lost", file: "/no/such/file/either" };

    #[test]
    fn what_is_missing_is_told_as_the_command_that_installs_it() {
        let expected = "apt-get install --yes --no-install-recommends gone lost";
        assert_eq!(installation(&[GONE, HERE, LOST]).as_deref(), Some(expected));
    }

    #[test]
    fn nothing_is_installed_where_all_is_there() {
        assert_eq!(provide(&[HERE]), None);
        assert_eq!(provide(&[]), None);
    }
}
