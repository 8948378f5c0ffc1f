//! Rule: hosted runners run the commands of the README, through actions that nobody can exchange.

use crate::tree::Tree;

const README: &str = "README.md";
const HEADING: &str = "\n## Quick start\n";
const WORKFLOWS: &str = ".github/workflows/";

#[test]
fn hosted_runners_run_what_the_readme_says() {
    super::assert_tidy_whole(unrun(&super::repository()));
}

#[test]
fn actions_are_named_by_their_commits() {
    super::assert_tidy(unpinned(&super::repository()));
}

/// Commands of the README that no workflow runs, a word or two behind them or none.
fn unrun(tree: &Tree) -> Result<Vec<String>, String> {
    let commands = commands(tree.text(README).ok_or(README)?);
    let runs: Vec<&str> = steps(tree, "run:").map(|(_, run)| run).collect();
    let is_run = |command: &&str| runs.iter().any(|run| run.starts_with(command));
    let unrun = commands.into_iter().filter(|command| !is_run(command));
    Ok(unrun.map(|command| format!("{WORKFLOWS}: no step runs `{command}`")).collect())
}

/// What is to be typed, without what is said of it.
fn commands(readme: &str) -> Vec<&str> {
    let section = readme.split_once(HEADING).map_or("", |(_, rest)| rest);
    let section = section.split("\n## ").next().unwrap_or_default();
    let lines = section.lines().filter(|line| line.starts_with("cargo "));
    lines.map(|line| line.split('#').next().unwrap_or_default().trim_end()).collect()
}

fn unpinned(tree: &Tree) -> Vec<String> {
    let loose = steps(tree, "uses:").filter(|(_, action)| !is_pinned(action));
    let tell = |(path, action)| format!("{path}: `{action}` can become another; name its commit");
    loose.map(tell).collect()
}

fn is_pinned(action: &str) -> bool {
    let commit = action.split_whitespace().next().and_then(|name| name.split_once('@'));
    let is_hash =
        |hash: &str| hash.len() == 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    commit.is_some_and(|(_, hash)| is_hash(hash))
}

/// What stands behind a key in the steps of all workflows, with the path of the file.
fn steps<'t>(tree: &'t Tree, key: &str) -> impl Iterator<Item = (&'t str, &'t str)> {
    let workflows = tree.files().filter(|(path, _)| path.starts_with(WORKFLOWS));
    workflows.flat_map(move |(path, text)| {
        let steps = text.lines().map(|line| line.trim_start().trim_start_matches("- "));
        steps.filter_map(move |line| Some((path, line.strip_prefix(key)?.trim())))
    })
}

#[test]
fn a_command_that_nobody_runs_is_told() {
    let readme = "# A\n\n## Quick start\n\n```sh\ncargo run -- a.toml   # a pipeline\ncargo test\n```\n\n## B\n\n\
                  cargo of another section\n";
    let workflow = "jobs:\n  a:\n    steps:\n      - run: cargo test --all\n";
    let tree = Tree::of(&[(README, readme), (".github/workflows/a.yml", workflow)]);
    let expected = [".github/workflows/: no step runs `cargo run -- a.toml`"];
    assert_eq!(unrun(&tree).unwrap(), expected);
}

#[test]
fn an_action_by_a_tag_is_told() {
    let hash = "de0fac2e4500dabe0009e67214ff5f5447ce83dd";
    let workflow = format!("steps:\n  - uses: a/b@{hash} # v6\n  - name: c\n    uses: a/c@v6\n");
    let tree = Tree::of(&[(".github/workflows/a.yml", &workflow)]);
    let expected = [".github/workflows/a.yml: `a/c@v6` can become another; name its commit"];
    assert_eq!(unpinned(&tree), expected);
}
