//! The text files of the repository, as git knows them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::Result;

/// The text files of a tree by their path from its root, with `/` between folders, in the order of their paths.
#[derive(Debug)]
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads what git tracks under `root`, and what it would track if it were told to: a new file is held to the
    /// rules before its first commit. Files that are not text are left out.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let listed = list(root)?;
        let paths = listed.split('\0').filter(|path| !path.is_empty());
        let texts =
            paths.filter_map(|path| Some((path, fs::read_to_string(root.join(path)).ok()?)));
        Ok(Self { files: texts.map(|(path, text)| (path.to_owned(), text)).collect() })
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let owned = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        Self { files: owned.collect() }
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Every path with its text.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The Rust files in a folder and below; the folder's name ends with `/`, and `""` is the root.
    pub(crate) fn rust_under(&self, folder: &str) -> impl Iterator<Item = (&str, &str)> {
        let is_rust = |path: &str| Path::new(path).extension().is_some_and(|end| end == "rs");
        self.files().filter(move |(path, _)| path.starts_with(folder) && is_rust(path))
    }
}

fn list(root: &Path) -> Result<String> {
    let output = git(root).output().map_err(|error| format!("git cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    Err(complaint(&output).into())
}

/// The folder is declared safe because builders often check it out as one user and build as another.
fn git(root: &Path) -> Command {
    let mut git = Command::new("git");
    git.current_dir(root).args(["-c", "safe.directory=*", "ls-files", "-z"]);
    git.args(["--cached", "--others", "--exclude-standard"]);
    git
}

fn complaint(output: &Output) -> String {
    let reason = String::from_utf8_lossy(&output.stderr);
    format!("git cannot list the files of the repository: {}", reason.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workshop;

    #[test]
    fn the_tree_holds_this_file_and_nothing_that_is_ignored() {
        let tree = Tree::read(&workshop::root().unwrap()).unwrap();
        assert!(
            tree.text("xtask/src/tree.rs").is_some_and(|text| text.starts_with("//! The text"))
        );
        assert!(tree.files().all(|(path, _)| !path.starts_with("target/")));
    }

    #[test]
    fn rust_files_are_found_below_a_folder_and_not_beside_it() {
        let tree = Tree::of(&[("a/b/c.rs", ""), ("a/b.toml", ""), ("ab/d.rs", "")]);
        let paths: Vec<&str> = tree.rust_under("a/").map(|(path, _)| path).collect();
        assert_eq!(paths, ["a/b/c.rs"]);
    }

    #[test]
    fn a_folder_without_a_repository_is_an_error_that_says_so() {
        let message = Tree::read(Path::new("/")).unwrap_err().to_string();
        assert!(message.starts_with("git cannot list the files of the repository"), "{message}");
    }
}
