//! Rule: crates with models reach locks and atomics, of the standard library or of base, through their room `sync` alone.
//!
//! A model check swaps what `sync` gives out for loom's; a lock taken from elsewhere behind its back would not be checked.
//! What has no counterpart in a model (`Arc`, `Weak`, the guards' errors) may be named anywhere, and tests may use
//! anything.

use crate::tree::Tree;

use super::tokens::{Token, tokens, without_tests};

/// The folders that the rule is for.
const FOLDERS: &[&str] =
    &["crates/core/src/", "crates/host/src/", "crates/metal/src/", "crates/vulkan/src/"];

/// What only `sync` may name. `self` and `*` would bring in all of it.
const BEHIND_THE_DOOR: &[&str] = &[
    "Barrier",
    "Condvar",
    "LazyLock",
    "Mutex",
    "MutexGuard",
    "Once",
    "OnceLock",
    "RwLock",
    "RwLockReadGuard",
    "RwLockWriteGuard",
    "atomic",
    "mpmc",
    "mpsc",
    "self",
    "*",
];

/// The same of base.
const OF_BASE: &[&str] = &["lock", "sync", "self", "*"];

#[test]
fn only_the_room_sync_names_locks_and_atomics() {
    super::assert_tidy(offences(&super::repository()));
}

fn offences(tree: &Tree) -> Vec<String> {
    let files = FOLDERS.iter().flat_map(|folder| tree.rust_under(folder));
    files
        .filter(|(path, _)| !is_exempt(path))
        .flat_map(|(path, text)| in_file(path, text))
        .collect()
}

/// The door itself, and files that are tests and nothing else.
fn is_exempt(path: &str) -> bool {
    path.ends_with("/sync.rs") || path.ends_with("/tests.rs") || path.contains("/tests/")
}

fn in_file(path: &str, text: &str) -> Vec<String> {
    let tokens = match tokens(text) {
        Ok(tokens) => without_tests(&tokens),
        Err(error) => return vec![format!("{path}: {error}")],
    };
    let bad = paths(&tokens).into_iter().filter(|(name, _)| is_behind_the_door(name));
    bad.map(|(name, line)| format!("{path}:{line}: `{}`; take it from `sync`", name.join("::")))
        .collect()
}

/// The whole of `std::sync` or of base, or something in them that is on the lists.
fn is_behind_the_door(path: &[String]) -> bool {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    let is_root = |name: &&str| ["std", "core", "alloc", "syncpoint_base"].contains(name);
    match names.iter().position(is_root).map(|root| &names[root..]) {
        Some(["syncpoint_base"] | [_, "sync"]) => true,
        Some(["syncpoint_base", name, ..]) => OF_BASE.contains(name),
        Some([_, "sync", name, ..]) => BEHIND_THE_DOOR.contains(name),
        _ => false,
    }
}

/// Every path of the tokens with its line, the branches of a `use` tree spelt out: `a::{b, c::d}` is `a::b` and
/// `a::c::d`.
fn paths(tokens: &[Token]) -> Vec<(Vec<String>, usize)> {
    let mut walk = Walk::default();
    for token in tokens {
        walk.step(token);
    }
    walk.end_path();
    walk.found
}

#[derive(Default)]
struct Walk {
    found: Vec<(Vec<String>, usize)>,
    /// What the path that is being read consists of so far, what it inherits from the branches around it included.
    path: Vec<String>,
    line: usize,
    /// A `::` came last, so that what comes next goes on with the path.
    is_joined: bool,
    /// What the paths in each open bracket inherit.
    inherited: Vec<Vec<String>>,
}

impl Walk {
    fn step(&mut self, token: &Token) {
        match token.text.as_str() {
            "::" => self.is_joined = true,
            _ if token.opens() => self.open(),
            _ if token.closes() => self.close(),
            "*" if self.is_joined => self.name(token),
            _ if token.is_word() => self.name(token),
            _ => self.end_path(),
        }
    }

    fn name(&mut self, token: &Token) {
        if !self.is_joined {
            self.begin_path();
        }
        self.path.push(token.text.clone());
        self.line = token.line;
        self.is_joined = false;
    }

    /// A word right behind a word, as in `b as c`, begins no branch and inherits nothing.
    fn begin_path(&mut self) {
        let begins_branch = self.path.is_empty();
        self.end_path();
        if begins_branch {
            self.path = self.inherited.last().cloned().unwrap_or_default();
        }
    }

    /// Only a bracket right behind `::` hands down what stands before it.
    fn open(&mut self) {
        let inherited = if self.is_joined { std::mem::take(&mut self.path) } else { Vec::new() };
        self.end_path();
        self.inherited.push(inherited);
    }

    fn close(&mut self) {
        self.end_path();
        self.inherited.pop();
    }

    fn end_path(&mut self) {
        let path = std::mem::take(&mut self.path);
        if !path.is_empty() {
            self.found.push((path, self.line));
        }
        self.is_joined = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_branches_of_a_use_tree_are_spelt_out() {
        let row = tokens("use a::{b, c::{self, d as e}, f::*}; ::g::h::<i::J>(k)").unwrap();
        let found: Vec<String> = paths(&row).into_iter().map(|(path, _)| path.join("::")).collect();
        let expected =
            ["use", "a::b", "a::c::self", "a::c::d", "as", "e", "a::f::*", "g::h", "i::J", "k"];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_a_model_cannot_see_is_refused_in_every_spelling() {
        for text in [
            "use std::sync::Mutex;",
            "use std::{fmt, sync::{Arc, atomic::{AtomicU64, Ordering}}};",
            "use core::sync::atomic::AtomicU64;",
            "use std::sync;",
            "use std::sync as threads;",
            "use std::sync::{self, Arc};",
            "use std::sync::*;",
            "fn f() { let (a, b) = ::std::sync::mpsc::channel::<u8>(); }",
            "struct A { once: std::sync::OnceLock<u8> }",
            "struct A { lock: ::std::sync::Mutex<u8> }",
            "fn f() -> u8 { return ::std::sync::Once::new() }",
            "#[cfg(not(test))]\nuse std::sync::Condvar;",
            "macro_rules! lock { () => { std::sync::RwLock::new(()) } }",
            "use syncpoint_base::{Process, sync};",
            "use syncpoint_base::sync::process::Mutex;",
            "struct A<'a> { locked: syncpoint_base::sync::Locked<'a, u8> }",
            "use syncpoint_base::*;",
            "use syncpoint_base as base;",
        ] {
            assert!(is_refused("crates/core/src/a.rs", text), "{text}");
            assert!(is_refused("crates/host/src/a/b.rs", text), "{text}");
        }
    }

    #[test]
    fn what_a_model_need_not_see_is_accepted() {
        for text in [
            "use std::sync::{Arc, PoisonError, Weak};",
            "use crate::sync::{Lock, Mutex, atomic::AtomicU64};",
            "use syncpoint_base::{Process, Work};",
            "use super::sync::Condvar;\nfn f(mutex: Mutex<u8>) { sync::atomic::fence() }",
            "// std::sync::Mutex\nconst A: &str = \"std::sync::Mutex\";",
            "#[cfg(test)]\nmod tests {\n    use std::sync::mpsc;\n}",
        ] {
            assert!(!is_refused("crates/core/src/a.rs", text), "{text}");
        }
    }

    #[test]
    fn the_door_itself_tests_and_other_crates_may_name_anything() {
        let text = "use std::sync::Mutex;";
        for path in [
            "crates/core/src/sync.rs",
            "crates/host/src/queue/tests.rs",
            "crates/host/tests/conformance.rs",
            "crates/sim/src/clock.rs",
        ] {
            assert!(!is_refused(path, text), "{path}");
        }
    }

    fn is_refused(path: &str, text: &str) -> bool {
        !offences(&Tree::of(&[(path, text)])).is_empty()
    }
}
