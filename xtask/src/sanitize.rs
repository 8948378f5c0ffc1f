//! The sanitizers: the tests once more, in programs that watch every access to memory.
//!
//! They are run with `cargo test`, many tests in one process: what one leaves behind meets the next.

use crate::package::{SYMBOLIZER, THREAD_RUNTIME};
use crate::step::Step;
use crate::workshop::Workshop;

/// The packages whose tests are run: their libraries, programs and tests.
const PACKAGES: [&str; 11] = [
    "syncpoint-trace",
    "syncpoint-base",
    "syncpoint-core",
    "syncpoint-host",
    "syncpoint-sim",
    "syncpoint",
    "syncpoint-conformance",
    "syncpoint-cli",
    "syncpoint-cuda",
    "syncpoint-cuda-fake",
    "syncpoint-cuda-facts",
];

/// Those whose tests are not, each with the reason.
#[cfg(test)]
const LEFT_OUT: &[LeftOut] = &[
    (
        "syncpoint-vulkan",
        "loads drivers that are built without the sanitizer and translate code as they run",
    ),
    ("xtask", "runs programs one after the other, with nothing unsafe and nothing shared"),
];

/// Test programs after which nothing may be left. The others have streams that wait for ever, or children that exit
/// while work is queued, and what a process leaves queued at its exit is leaked on purpose.
const LEAKLESS: &str = "-p syncpoint-host -p syncpoint-sim -p syncpoint-trace -p syncpoint-cli --lib \
    --test bounds --test callbacks --test dropped --test events --test pool --test retire --test shutdown \
    --test streams --test stress --test golden --test properties --test bad_files --test engine --test plans";

/// What the address sanitizer runs of the CUDA backend: its suite once, and not in every mode and on every kind of driver,
/// where a child that forked beside a hundred other tests was seen to take longer than its test waits; not what waits by
/// the clock; and not what counts the calls of the system, which the sanitizer makes too.
const CUDA: &str = "-p syncpoint-cuda --lib --test available --test calls --test captured_events --test captures \
    --test conformance --test contexts --test documented --test drivers --test events --test examples --test exit \
    --test exporters --test faults --test gates --test global_capture --test handles --test life --test manners \
    --test owners --test pages --test processes --test programs --test records --test refused_queries \
    --test registered --test reset --test two_contexts";

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
    ("a_million_hops", MILLIONS),
    ("a_hundred_thousand_hops_with_work", MILLIONS),
    ("a_hundred_thousand_waiters", MILLIONS),
    (
        "a_thread_that_forks_while_it_is_woken",
        "its child ends by `exit`, where the sanitizer tells of the parent's threads, or waits for ever for a lock that \
         one of them held",
    ),
];

/// Of tests that give a process little memory.
const ADDRESS_SPACE: &str = "limits the address space, of which the sanitizer needs terabytes";

/// Of tests that count to a million.
const MILLIONS: &str =
    "runs longer under the sanitizer than the test waits; smaller tests run the same code";

/// The packages whose tests load the stand-in driver, or have it built beside them: a library for C, which cannot be linked
/// with the thread sanitizer's runtime. The address sanitizer's it finds in the program that loads it.
const WITH_STAND_IN: [&str; 4] =
    ["syncpoint-cli", "syncpoint-cuda", "syncpoint-cuda-fake", "syncpoint-cuda-facts"];

/// What both are told: children that a test forks go on, and memory that cannot be had is an answer.
const OPTIONS: &str = "allocator_may_return_null=1";

/// Data races and locks taken in circles. The standard library is built with the sanitizer too, so that nothing it
/// orders goes unseen and no report is false.
pub(crate) fn thread(workshop: &Workshop) -> Vec<Step> {
    let whole = format!(
        "-Zpre-link-arg=-Wl,--whole-archive -Zpre-link-arg={THREAD_RUNTIME} -Zpre-link-arg=-Wl,--no-whole-archive"
    );
    let options = format!("{OPTIONS} die_after_fork=0 external_symbolizer_path={SYMBOLIZER}");
    let step = Step::debian("test -Zbuild-std")
        .flags("RUSTFLAGS", &format!("-Zsanitizer=thread -Zexternal-clangrt {whole}"))
        .flags("TSAN_OPTIONS", &options);
    let without_thread = [WITHOUT_EITHER, WITHOUT_THREAD].concat();
    vec![tests(step, workshop, "tsan", &all_but(&WITH_STAND_IN), &without_thread)]
}

/// Memory used after it was freed or beyond its end; then, where all has to be freed, memory that nobody can free any
/// more.
pub(crate) fn address(workshop: &Workshop) -> Vec<Step> {
    let run = |selection: &str| {
        tests(instrumented("detect_leaks=0"), workshop, "asan", selection, WITHOUT_EITHER)
    };
    let leakless = tests(instrumented("detect_leaks=1"), workshop, "asan", LEAKLESS, &[]);
    vec![run(&all_but(&["syncpoint-cuda"])), run(CUDA), leakless]
}

fn all_but(left_out: &[&str]) -> String {
    let is_in = |name: &&str| !left_out.contains(name);
    let packages: Vec<&str> = PACKAGES.into_iter().filter(is_in).collect();
    format!("--package {} --lib --tests", packages.join(" --package "))
}

fn instrumented(leaks: &str) -> Step {
    let options = format!("{OPTIONS} {leaks} external_symbolizer_path={SYMBOLIZER}");
    Step::cargo("test")
        .flags("RUSTC_BOOTSTRAP", "1")
        // A driver that is on this machine was built without the sanitizer, and is none of what is tried here.
        .variable("SYNCPOINT_VULKAN_LIBRARY", "/nonexistent")
        // Programs show the runtime that is linked with them to the libraries that they load.
        .flags("RUSTFLAGS", "-Zsanitizer=address -Clink-arg=-rdynamic")
        .flags("ASAN_OPTIONS", &options)
}

/// Optimized: the tests that count to a million would take minutes. In a target folder of its own: the flags would
/// rebuild everything back and forth.
fn tests(
    step: Step,
    workshop: &Workshop,
    folder: &str,
    selection: &str,
    left_out: &[LeftOut],
) -> Step {
    let folder = workshop.target.join(folder);
    let step = step
        .words(&format!("--release --no-fail-fast --target {SYSTEM} --target-dir"))
        .argument(&folder.to_string_lossy())
        .words(selection)
        .words("--");
    left_out.iter().fold(step, |step, (name, _)| step.words("--skip").argument(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy;
    use crate::tree::Tree;
    use crate::workshop;

    #[test]
    fn a_test_that_is_left_out_exists_and_its_reason_is_told() {
        let tree = Tree::read(&workshop::root().unwrap()).unwrap();
        let all = WITHOUT_EITHER.iter().chain(WITHOUT_THREAD);
        let stale = all.filter(|(name, reason)| reason.is_empty() || !is_test(&tree, name));
        tidy::assert_tidy(stale.map(|(name, _)| format!("{name}: no test begins so")));
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
