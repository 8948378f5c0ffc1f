//! Rule: unsafe code stands only in the files listed here, and each use says why it is sound.

use crate::tree::Tree;

use super::tokens::{Token, tokens};

/// Files, or folders that end with `/`, each with its reason. An entry goes when its file needs it no longer.
const ALLOWED: &[(&str, &str)] = &[
    ("crates/base/src/", "the unsafe ground of core and backends, behind safe doors"),
    ("crates/cli/src/bench/rival/vulkan/driver.rs", "the driver by hand, to compare with"),
    ("crates/conformance/examples/loaded.rs", "a library for C, which exports a name"),
    (
        "crates/conformance/src/allocation.rs",
        "an allocator that counts, for programs that weigh the library",
    ),
    ("crates/conformance/src/bin/life/", "a program that forks, is signalled and loads libraries"),
    ("crates/conformance/src/child.rs", "fork, to show what a child is told"),
    ("crates/conformance/src/container.rs", "namespaces, to show what containers share"),
    ("crates/conformance/src/secluded.rs", "a thread that gives up its system calls"),
    ("crates/conformance/src/signal.rs", "signals, which interrupt what blocks"),
    (
        "crates/cuda/examples/",
        "cudarc takes its caller's word for a stream, and a library for C exports a name",
    ),
    ("crates/cuda-facts/src/driver/", "the functions of a driver, behind handles that are used up"),
    ("crates/cuda-fake/src/rim/", "a library for C: it exports names and is given pointers"),
    ("crates/cuda-fake/tests/cudarc.rs", "host functions of a program that knows cudarc alone"),
    ("crates/cuda-fake/tests/fake/", "calls of a library for C"),
    ("crates/cuda/tests/events.rs", "events of others are taken in, by their handles"),
    ("crates/cuda/src/handles.rs", "handles of others, whose life only their owners know"),
    ("crates/cuda/src/sys/", "the driver of CUDA, a library of C, behind owners and safe calls"),
    ("crates/cuda/tests/fake/", "calls of a library for C"),
    ("crates/cuda/tests/two_copies.rs", "libraries are loaded, called and unloaded"),
    ("crates/metal/src/apple/", "the calls of Metal, whose objects check nothing"),
    ("crates/metal/tests/mac.rs", "a program's own use of a buffer of Metal"),
    ("crates/python/src/external.rs", "streams of others, for which their pointers' givers vouch"),
    ("crates/python/src/only.rs", "which interpreter it is, by a pointer of the interpreter's"),
    ("crates/vulkan/src/handles.rs", "handles of others, whose life only their owners know"),
    ("crates/vulkan/src/timeline.rs", "semaphores of others, whose life only their owners know"),
    (
        "crates/vulkan/src/sys/",
        "the driver of Vulkan, a library of C, behind owners and safe calls",
    ),
    ("crates/vulkan/tests/asked.rs", "commands of the user's are submitted: none"),
    ("crates/vulkan/tests/between/", "stands between the backend and a library of C"),
    ("crates/vulkan/tests/copies.rs", "a device of others is taken in"),
    ("crates/vulkan/tests/deferred.rs", "commands of the user's are submitted: none"),
    ("crates/vulkan/tests/refused.rs", "commands of the user's are submitted: none"),
    ("crates/vulkan/tests/rests.rs", "a device of others is taken in, to be lost"),
    ("crates/vulkan/tests/calibrated.rs", "a device of others is taken in"),
    (
        "crates/vulkan/tests/faulty/",
        "stands between the backend and a driver, which is a library of C",
    ),
    ("crates/vulkan/tests/forks.rs", "commands of the user's are submitted, or none"),
    ("crates/vulkan/tests/handles.rs", "handles of others are taken in"),
    ("crates/vulkan/tests/lying/", "stands between the backend and a library of C"),
    ("crates/vulkan/tests/locks.rs", "a device of others is taken in"),
    ("crates/vulkan/tests/lost.rs", "semaphores of others are taken in"),
    ("crates/vulkan/tests/queues.rs", "commands of the user's are submitted: none"),
    ("crates/vulkan/tests/several/", "stands between the backend and a library of C"),
    ("crates/vulkan/tests/taken_in.rs", "devices of others are taken in"),
    ("crates/vulkan/tests/theirs/", "a program that knows Vulkan alone"),
    ("crates/vulkan/tests/timelines.rs", "semaphores of others are taken in"),
    ("crates/vulkan/tests/versions.rs", "devices of others are taken in"),
    ("crates/vulkan/tests/witness/", "stands between the backend and a library of C"),
    ("crates/host/tests/allocation.rs", "an allocator that counts, to show that nothing allocates"),
];

/// How an argument begins.
const ARGUMENT: &str = concat!("SAF", "ETY:");

/// So close above its block must stand the comment that argues for it.
const REACH: usize = 3;

#[test]
fn unsafe_code_is_listed_and_argued() {
    super::assert_tidy(offences(&super::repository(), ALLOWED));
}

#[test]
fn core_forbids_unsafe_code_for_good() {
    super::assert_tidy(core_offences(&super::repository()));
}

fn core_offences(tree: &Tree) -> Vec<String> {
    let path = "crates/core/src/lib.rs";
    let forbids = |text: &str| text.lines().any(|line| line == "#![forbid(unsafe_code)]");
    let missing = !tree.text(path).is_some_and(forbids);
    missing.then(|| format!("{path}: has no line `#![forbid(unsafe_code)]`")).into_iter().collect()
}

fn offences(tree: &Tree, allowed: &[(&str, &str)]) -> Vec<String> {
    let files = tree.rust_under("");
    let in_files = files.flat_map(|(path, text)| match tokens(text) {
        Ok(tokens) => in_file(path, text, &tokens, allowed),
        Err(error) => vec![format!("{path}: {error}")],
    });
    in_files.chain(stale(tree, allowed)).collect()
}

fn in_file(path: &str, text: &str, tokens: &[Token], allowed: &[(&str, &str)]) -> Vec<String> {
    let is_listed = allowed.iter().any(|(listed, _)| covers(listed, path));
    let uses = tokens.iter().enumerate().filter(|(_, token)| token.is("unsafe"));
    let bad = uses.filter_map(|(index, token)| {
        let next = tokens.get(index + 1).map_or("", |next| next.text.as_str());
        let complaint = complaint(is_listed, next, || is_argued(text, token.line))?;
        Some(format!("{path}:{}: {complaint}", token.line))
    });
    bad.collect()
}

/// A block and an implementation owe an argument; a function owes its caller one, which clippy asks for.
fn complaint(is_listed: bool, next: &str, is_argued: impl Fn() -> bool) -> Option<&'static str> {
    match next {
        _ if !is_listed => Some("unsafe code in a file that is not on the list in unsafe_code.rs"),
        "{" | "impl" if !is_argued() => {
            Some("unsafe code without its safety comment in the lines above it")
        }
        _ => None,
    }
}

/// Whether an argument stands in the lines close above, or further up in the comment that ends there.
fn is_argued(text: &str, line: usize) -> bool {
    let above: Vec<&str> = text.lines().take(line - 1).map(str::trim_start).collect();
    let is_comment = |line: &&&str| line.starts_with("//");
    let near = above.iter().rev().take(REACH).take_while(|line| !is_comment(line)).count();
    let comment = above.iter().rev().skip(near).take_while(is_comment);
    near < REACH && comment.into_iter().any(|line| line.contains(ARGUMENT))
}

/// Entries that no file needs.
fn stale(tree: &Tree, allowed: &[(&str, &str)]) -> Vec<String> {
    let needs =
        |text: &str| tokens(text).is_ok_and(|row| row.iter().any(|token| token.is("unsafe")));
    let is_needed =
        |listed: &str| tree.rust_under("").any(|(path, text)| covers(listed, path) && needs(text));
    let stale = allowed.iter().filter(|(listed, _)| !is_needed(listed));
    stale
        .map(|(listed, _)| format!("{listed}: holds no unsafe code; take it off the list"))
        .collect()
}

fn covers(listed: &str, path: &str) -> bool {
    path == listed || (listed.ends_with('/') && path.starts_with(listed))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &[(&str, &str)] = &[("base/", "for this test")];

    #[test]
    fn an_argued_block_in_a_listed_file_is_accepted() {
        for text in [
            ARGUED,
            "fn f() {\n    // SAFETY: the pointer is ours,\n    // and so is\n    // all that\n    // it leads to.\n\
             \x20   let x =\n        unsafe { g() };\n}\n",
            "// SAFETY: it holds no pointer.\nunsafe impl Send for A {}\n",
            "/// # Safety\n///\n/// - once only\nunsafe fn f() {}\n",
        ] {
            assert_eq!(offences(&Tree::of(&[("base/a.rs", text)]), BASE), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_block_without_its_argument_is_refused() {
        for text in [
            "fn f() {\n    // Quick.\n    unsafe { g() }\n}\n",
            "// SAFETY: too far away.\nfn f() {\n    a();\n    b();\n    unsafe { g() }\n}\n",
            "// SAFETY: of another.\nunsafe impl Send for A {}\n\n\n\nunsafe impl Sync for A {}\n",
        ] {
            let offences = offences(&Tree::of(&[("base/a.rs", text)]), BASE);
            assert_eq!(offences.len(), 1, "{text}");
            assert!(offences[0].contains("without its safety comment"), "{offences:?}");
        }
    }

    #[test]
    fn unsafe_code_elsewhere_is_refused_however_well_it_argues() {
        let tree = Tree::of(&[("core/a.rs", ARGUED)]);
        let offences = offences(&tree, &[]);
        assert_eq!(offences.len(), 1);
        assert!(offences[0].starts_with("core/a.rs:3: unsafe code in a file"), "{offences:?}");
    }

    #[test]
    fn the_word_alone_is_not_code() {
        let text =
            "//! Nothing unsafe here.\n#![deny(unsafe_code)]\nconst A: &str = \"unsafe {\";\n";
        assert_eq!(offences(&Tree::of(&[("core/a.rs", text)]), &[]), [""; 0]);
    }

    #[test]
    fn an_entry_that_nothing_needs_is_refused() {
        let expected = ["base/: holds no unsafe code; take it off the list"];
        assert_eq!(offences(&Tree::of(&[("base/a.rs", "fn f() {}\n")]), BASE), expected);
    }

    #[test]
    fn core_without_its_promise_is_refused() {
        let tree = |text: &str| Tree::of(&[("crates/core/src/lib.rs", text)]);
        assert_eq!(core_offences(&tree("//! Core.\n#![forbid(unsafe_code)]\n")), [""; 0]);
        assert_eq!(core_offences(&tree("//! Core.\n// #![forbid(unsafe_code)]\n")).len(), 1);
        assert_eq!(core_offences(&Tree::of(&[])).len(), 1);
    }

    const ARGUED: &str = "fn f() {\n    // SAFETY: the pointer is ours.\n    unsafe { g() }\n}\n";
}
