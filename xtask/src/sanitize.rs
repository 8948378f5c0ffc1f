//! The sanitizers: the tests once more, in programs that watch every access to memory.
//!
//! They are run with `cargo test`, many tests in one process: what one leaves behind meets the next.

use std::fs;
use std::path::Path;

use crate::again;
use crate::package::{LAVAPIPE, SWIFTSHADER, SYMBOLIZER, THREAD_RUNTIME};
use crate::step::Step;
use crate::vulkan;
use crate::workshop::{self, Workshop};

/// The packages whose tests are run: their libraries, programs and tests.
const PACKAGES: [&str; 12] = [
    "syncpoint-trace",
    "syncpoint-base",
    "syncpoint-core",
    "syncpoint-host",
    "syncpoint-sim",
    "syncpoint",
    "syncpoint-conformance",
    "syncpoint-cli",
    "syncpoint-metal",
    "syncpoint-cuda",
    "syncpoint-cuda-fake",
    "syncpoint-cuda-facts",
];

/// Those whose tests are not, or not by both, each with the reason.
#[cfg(test)]
const LEFT_OUT: &[LeftOut] = &[
    (
        "syncpoint-vulkan",
        "loads drivers that are built without the thread sanitizer, and translate code as they run",
    ),
    (
        "syncpoint-python",
        "is loaded by an interpreter that is built without, has no test in Rust, and takes one value out of its place",
    ),
    ("xtask", "runs programs, with nothing unsafe"),
];

/// Test programs after which nothing may be left. The others have streams that wait for ever, or children that exit
/// while work is queued, and what a process leaves queued at its exit is leaked on purpose.
const LEAKLESS: &str = "-p syncpoint-host -p syncpoint-sim -p syncpoint-trace -p syncpoint-cli --lib \
    --test bounds --test callbacks --test dropped --test events --test pool --test retire --test shutdown \
    --test streams --test stress --test golden --test properties --test bad_files --test engine --test plans";

/// The same of the Vulkan backend. Neither driver was seen to leave anything.
const LEAKLESS_ON_VULKAN: &str = "--test handles --test measure --test streams --test timelines";

/// What the address sanitizer runs of it on the second driver besides: what is ours is the same on both, and these add what a
/// driver does with it.
const ON_SECOND_DRIVER: &str = "--test conformance --test faults --test lost";

/// Test programs of the CUDA backend that neither runs.
const WITHOUT_ON_CUDA: &[LeftOut] = &[
    ("busy", "waits by the clock"),
    ("seldom", "counts how often the poller looks, which a slow machine changes"),
    ("steady", "counts what the system is asked, which a sanitizer asks too"),
];

/// What the thread sanitizer does not run besides.
const WITHOUT_THREAD_ON_CUDA: &[LeftOut] = &[
    ("blocking_streams", ONCE),
    ("default_streams", ONCE),
    ("hardware", ONCE),
    ("strict", ONCE),
    ("three_devices", ONCE),
    ("without_gates", ONCE),
];

/// Of test programs that have the suite once more.
const ONCE: &str =
    "has the suite once more, in another mode or on another kind of driver, and ran out of time";

/// The system that the sanitizers are used on. Named to cargo, it keeps them out of build scripts and macros.
pub(crate) const SYSTEM: &str = "x86_64-unknown-linux-gnu";

/// A package, or a test that a sanitizer cannot run, with the reason. The name of a test may be the beginning of several.
type LeftOut = (&'static str, &'static str);

/// What neither can run.
const WITHOUT_EITHER: &[LeftOut] = &[
    (
        "a_neighbour_of_blocking_work_is_served_soon",
        "times the making of threads, which the sanitizer makes much slower",
    ),
    (
        "work_that_computes_for_long_brings_no_crowd",
        "counts threads, of which a slower program gets more",
    ),
    ("half_of_the_deadlines_that_run_out_are_told", LATE),
    ("a_wait_that_runs_out_behind_many_others", LATE),
    ("an_exporter_killed_with_a_child_alive", LATE),
    ("an_exporter_that_is_killed_with_a_child_alive", LATE),
    ("work_that_blocks_unseen_delays_its_neighbours", LATE),
    ("work_that_nobody_synchronizes_runs_soon", LATE),
    ("who_spins_or_yields_never_sleeps", AWAKE),
    ("who_blocks_sleeps_in_slices", AWAKE),
    ("who_yields_is_in_the_kernel", AWAKE),
    ("a_delay_without_a_timer", ADDRESS_SPACE),
    ("a_buffer_that_does_not_fit_is_refused", ADDRESS_SPACE),
    ("no_memory_for_an_entry_of_a_queue", ADDRESS_SPACE),
    ("a_notification_is_refused_without_a_notifier", ADDRESS_SPACE),
    ("a_wait_for_another_process_is_refused_without", ADDRESS_SPACE),
    ("device_work_is_refused_without_the_thread", ADDRESS_SPACE),
    ("host_work_of_a_device_is_refused_without", ADDRESS_SPACE),
    ("one_worker_does_it_all_where_no_other", ADDRESS_SPACE),
    ("the_first_work_is_refused_without_a_worker", ADDRESS_SPACE),
    ("two_copies_in_one_process", "loads libraries that it builds itself, without the sanitizer"),
    (
        "who_computes_comes_to_the_end_and_who_asks_the_kernel",
        "gives up system calls, which the sanitizer makes on its own account",
    ),
];

/// What the thread sanitizer cannot run besides.
const WITHOUT_THREAD: &[LeftOut] = &[
    (
        "no_observer_no_cost",
        "counts operations of the whole process, which slow cases beside it do too",
    ),
    (
        "every_operation_is_measured_on_the_host",
        "measures until the figures are steady, which takes longer under the sanitizer than the test waits",
    ),
    (
        "the_picture_of_the_readme_is_what",
        "draws times of milliseconds, which are seconds under the sanitizer",
    ),
    (
        "a_second_signal_exits_at_once",
        "of two signals at once the system may give both to a worker that sleeps, and the sanitizer keeps a signal back \
         until its thread makes a call that it watches, which such a worker does not",
    ),
    (
        "random_programs_on_two_devices",
        "reads pinned memory that another stream may write meanwhile, as its reference allows: the library for C and the \
         program touch the same bytes, and neither can know of the other",
    ),
    ("a_million_hops", MILLIONS),
    ("a_hundred_thousand_hops_with_work", MILLIONS),
    ("a_hundred_thousand_waiters", MILLIONS),
    ("a_parked_stream_takes_a_million_items", MILLIONS),
    ("a_thread_that_forks_while_it_is_woken", CHILD),
    ("a_child_makes_threads_also_where_its_parent", CHILD),
];

/// Of tests that compare times of the clock.
const LATE: &str =
    "measures how late something comes, which is later in a slower program beside other tests";

/// Of tests that ask the system about a thread.
const AWAKE: &str =
    "measures how long a thread runs and sleeps, which beside other tests says nothing of us";

/// Of tests that give a process little memory.
const ADDRESS_SPACE: &str = "limits the address space, of which the sanitizer needs terabytes";

/// Of tests that fork beside threads of the parent.
const CHILD: &str = "its child ends by `exit`, where the sanitizer tells of the parent's threads, or waits for ever for a \
    lock that one of them held";

/// Of tests that count to a million.
const MILLIONS: &str =
    "runs longer under the sanitizer than the test waits; smaller tests run the same code";

/// Where programs find the thread sanitizer's runtime again.
const RUN_PATH: &str = "-Wl,-rpath,/usr/lib/llvm-22/lib/clang/22/lib/linux";

/// The linker of the same LLVM: it takes a quarter of the time that Debian's own takes for each of a hundred programs.
const LINKER: &str = "-Clink-arg=-fuse-ld=lld -Clink-arg=-B/usr/lib/llvm-22/bin";

/// Each package has the features that the whole workspace gives it, however few are run: otherwise nearly everything would
/// be built anew for each selection.
const FEATURES: (&str, &str) = ("CARGO_RESOLVER_FEATURE_UNIFICATION", "workspace");

/// A driver of Vulkan that is on this machine was built without the sanitizer, and is none of what is tried here.
const NO_LIBRARY: &str = "/nonexistent";

/// What both are told: children that a test forks go on, and memory that cannot be had is an answer.
const OPTIONS: &str = "allocator_may_return_null=1";

/// Data races and locks taken in circles. The standard library is built with the sanitizer too, so that nothing it
/// orders goes unseen and no report is false.
pub(crate) fn thread(workshop: &Workshop) -> Vec<Step> {
    // Named first, so that it is looked through before the C library, before whose functions it stands; whether anything
    // of the program's own asks for it or not.
    let link = ["-Wl,--push-state,--no-as-needed", THREAD_RUNTIME, "-Wl,--pop-state", RUN_PATH];
    let link = link.map(|argument| format!(" -Zpre-link-arg={argument}")).concat();
    // A program of threads would sleep for a second before it ends, and hundreds are run.
    let options = format!(
        "{OPTIONS} die_after_fork=0 atexit_sleep_ms=0 external_symbolizer_path={SYMBOLIZER}"
    );
    let step = || {
        Step::debian("test -Zbuild-std")
            .variable("SYNCPOINT_VULKAN_LIBRARY", NO_LIBRARY)
            .flags("RUSTFLAGS", &format!("-Zsanitizer=thread -Zexternal-clangrt {LINKER}{link}"))
            .flags("TSAN_OPTIONS", &options)
    };
    let without_thread = [WITHOUT_EITHER, WITHOUT_THREAD].concat();
    let run = |selection: &str| tests(step(), workshop, "tsan", selection, &without_thread);
    let on_cuda = on_cuda(workshop, &[WITHOUT_ON_CUDA, WITHOUT_THREAD_ON_CUDA].concat());
    vec![run(&all_but(&["syncpoint-cuda"])), run(&on_cuda)]
}

/// Memory used after it was freed or beyond its end; then, where all has to be freed, memory that nobody can free any
/// more.
pub(crate) fn address(workshop: &Workshop) -> Vec<Step> {
    let run = |selection: &str| {
        let step = instrumented("detect_leaks=0").variable("SYNCPOINT_VULKAN_LIBRARY", NO_LIBRARY);
        tests(step, workshop, "asan", selection, WITHOUT_EITHER)
    };
    // Drivers are asked as they are: what they do with memory of their own goes unseen, what they do with ours does not.
    let on = |driver: &str, leaks: &str, selection: &str| {
        let step = vulkan::with_fewer_programs(vulkan::on(instrumented(leaks), driver));
        tests(step, workshop, "asan", &format!("--package syncpoint-vulkan {selection}"), &[])
    };
    let leakless_on = |driver| on(driver, "detect_leaks=1", LEAKLESS_ON_VULKAN);
    let vulkan = [
        on(LAVAPIPE, "detect_leaks=0", "--lib --tests"),
        on(SWIFTSHADER, "detect_leaks=0", ON_SECOND_DRIVER),
        leakless_on(LAVAPIPE),
        leakless_on(SWIFTSHADER),
    ];
    let leakless = tests(instrumented("detect_leaks=1"), workshop, "asan", LEAKLESS, &[]);
    let all = [run(&all_but(&["syncpoint-cuda"])), run(&on_cuda(workshop, WITHOUT_ON_CUDA))];
    all.into_iter().chain(vulkan).chain([leakless]).collect()
}

fn all_but(left_out: &[&str]) -> String {
    let is_in = |name: &&str| !left_out.contains(name);
    let packages: Vec<&str> = PACKAGES.into_iter().filter(is_in).collect();
    format!("--package {} --lib --tests", packages.join(" --package "))
}

fn on_cuda(workshop: &Workshop, without: &[LeftOut]) -> String {
    let is_run = |name: &String| without.iter().all(|(left_out, _)| left_out != name);
    let programs: Vec<String> = cuda_programs(&workshop.root).filter(is_run).collect();
    format!("--package syncpoint-cuda --lib --test {}", programs.join(" --test "))
}

/// The test programs of the CUDA backend, by the names that cargo gives them.
fn cuda_programs(root: &Path) -> impl Iterator<Item = String> {
    let folder = fs::read_dir(root.join("crates/cuda/tests"));
    let files = folder.into_iter().flatten().flatten();
    files.filter_map(|file| Some(file.file_name().to_str()?.strip_suffix(".rs")?.to_owned()))
}

fn instrumented(leaks: &str) -> Step {
    let options = format!("{OPTIONS} {leaks} external_symbolizer_path={SYMBOLIZER}");
    Step::cargo("test")
        .flags("RUSTC_BOOTSTRAP", "1")
        // Programs show the runtime that is linked with them to the libraries that they load.
        .flags("RUSTFLAGS", "-Zsanitizer=address -Clink-arg=-rdynamic")
        .flags("ASAN_OPTIONS", &options)
}

/// Somewhat optimized: the tests that count to a million would take minutes. In a target folder of its own: the flags would
/// rebuild everything back and forth.
fn tests(
    step: Step,
    workshop: &Workshop,
    folder: &str,
    selection: &str,
    left_out: &[LeftOut],
) -> Step {
    let folder = workshop.target.join(folder);
    let step = again::run_by(step, workshop)
        .variable(FEATURES.0, FEATURES.1)
        .variable("RUST_TEST_THREADS", &workshop::at_once().to_string())
        .words("-Zfeature-unification --profile sanitize")
        .words(&format!("--no-fail-fast --target {SYSTEM}"))
        .built_in(&folder)
        .words(selection)
        .words("--");
    left_out.iter().fold(step, |step, (name, _)| step.words("--skip").argument(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy;
    use crate::tree::Tree;

    #[test]
    fn a_test_that_is_left_out_exists_and_its_reason_is_told() {
        let tree = Tree::read(&workshop::root().unwrap()).unwrap();
        let all = WITHOUT_EITHER.iter().chain(WITHOUT_THREAD);
        let stale = all.filter(|(name, reason)| reason.is_empty() || !is_test(&tree, name));
        tidy::assert_tidy(stale.map(|(name, _)| format!("{name}: no test begins so")));
    }

    #[test]
    fn a_test_program_that_is_named_exists() {
        let tree = Tree::read(&workshop::root().unwrap()).unwrap();
        let named = [LEAKLESS, LEAKLESS_ON_VULKAN, ON_SECOND_DRIVER].into_iter().flat_map(programs);
        let stale = named.filter(|path| !tree.files().any(|(file, _)| file.ends_with(path)));
        tidy::assert_tidy(stale.map(|path| format!("{path}: no such file")));
        let on_cuda: Vec<String> = cuda_programs(&workshop::root().unwrap()).collect();
        let all = WITHOUT_ON_CUDA.iter().chain(WITHOUT_THREAD_ON_CUDA);
        let stale = all.filter(|(name, _)| !on_cuda.iter().any(|on| on == name));
        tidy::assert_tidy(stale.map(|(name, _)| format!("{name}: no such program")));
    }

    #[test]
    fn every_package_is_run_or_left_out_with_a_reason() {
        let tree = Tree::read(&workshop::root().unwrap()).unwrap();
        let mut packages: Vec<&str> = tree.files().filter_map(package).collect();
        let left_out = LEFT_OUT.iter().map(|(name, _)| *name);
        let mut known: Vec<&str> = PACKAGES.into_iter().chain(left_out).collect();
        packages.sort_unstable();
        known.sort_unstable();
        assert_eq!(packages, known);
        assert!(LEFT_OUT.iter().all(|(_, reason)| !reason.is_empty()));
    }

    /// The files of the test programs that a selection names.
    fn programs(selection: &str) -> impl Iterator<Item = String> {
        let named = selection.split("--test ").skip(1);
        named.map(|rest| format!("/tests/{}.rs", rest.split(' ').next().unwrap_or_default()))
    }

    /// The name of a package of the workspace, from its file.
    fn package<'t>((path, text): (&str, &'t str)) -> Option<&'t str> {
        let is_member = path.starts_with("crates/") || path.starts_with("xtask/");
        let name = text.lines().find_map(|line| line.strip_prefix("name = "))?;
        (is_member && path.ends_with("/Cargo.toml")).then(|| name.trim_matches('"'))
    }

    fn is_test(tree: &Tree, name: &str) -> bool {
        let function = format!("fn {name}");
        tree.rust_under("crates/").any(|(_, text)| text.contains(&function))
    }
}
