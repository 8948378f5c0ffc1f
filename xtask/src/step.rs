//! One run of a program, cargo mostly: its arguments, its environment, and what it must do to count as passed.

use std::env;
use std::ffi::OsString;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use crate::Result;

/// A run of a program in the root of the workspace. It inherits the environment, and no terminal to read from.
#[derive(Debug)]
pub(crate) struct Step {
    program: Program,
    /// Where programs are looked for first.
    first: Option<PathBuf>,
    arguments: Vec<String>,
    variables: Vec<(&'static str, String)>,
    /// Made before it runs.
    folders: Vec<PathBuf>,
    /// Whether it builds where no other part does.
    is_built_apart: bool,
    demand: Demand,
}

/// What runs a step.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Program {
    /// The cargo that runs this program.
    Cargo,
    /// The cargo of Debian, with Debian's compiler, which may use what is not stable.
    DebiansCargo,
    /// Another program, by its path.
    Other(PathBuf),
}

/// What a step must do to count as passed.
#[derive(Debug, PartialEq, Eq)]
enum Demand {
    Success,
    /// Success, and every test binary that it ran had a test to run: a filter that matches nothing proves nothing.
    SuccessWithTests,
}

impl Step {
    /// `cargo LINE`; the line is cut at white space.
    pub(crate) fn cargo(line: &str) -> Self {
        Self::of(Program::Cargo, line)
    }

    /// The same with the cargo of Debian, whatever toolchain was chosen.
    pub(crate) fn debian(line: &str) -> Self {
        Self::of(Program::DebiansCargo, line).path(Path::new("/usr/bin"))
    }

    /// Another program with the arguments of a line, which is cut at white space.
    pub(crate) fn program(path: PathBuf, line: &str) -> Self {
        Self::of(Program::Other(path), line)
    }

    fn of(program: Program, line: &str) -> Self {
        Self {
            program,
            first: None,
            arguments: line.split_whitespace().map(str::to_owned).collect(),
            variables: Vec::new(),
            folders: Vec::new(),
            is_built_apart: false,
            demand: Demand::Success,
        }
    }

    /// Adds the words of a line, which is cut at white space.
    pub(crate) fn words(mut self, line: &str) -> Self {
        self.arguments.extend(line.split_whitespace().map(str::to_owned));
        self
    }

    /// Adds one argument, whatever is in it.
    pub(crate) fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Adds the path of a folder, which is made before it runs.
    pub(crate) fn folder(mut self, folder: PathBuf) -> Self {
        self.arguments.push(folder.to_string_lossy().into_owned());
        self.folders.push(folder);
        self
    }

    /// Has cargo build in a target folder that is no other part's.
    pub(crate) fn built_in(mut self, target: &Path) -> Self {
        self.is_built_apart = true;
        self.words("--target-dir").argument(&target.to_string_lossy())
    }

    /// Adds flags to a variable that holds flags, behind those that the caller's environment gives it.
    pub(crate) fn flags(mut self, variable: &'static str, flags: &str) -> Self {
        let inherited = env::var(variable).unwrap_or_default();
        self.variables.push((variable, format!("{inherited} {flags}").trim_start().to_owned()));
        self
    }

    /// Sets a variable, whatever the caller's environment gives it.
    pub(crate) fn variable(mut self, variable: &'static str, value: &str) -> Self {
        self.variables.push((variable, value.to_owned()));
        self
    }

    /// Has programs looked for in a folder first.
    pub(crate) fn path(mut self, folder: &Path) -> Self {
        self.first = Some(folder.to_owned());
        self
    }

    /// Counts it as failed if a test binary had nothing to run.
    pub(crate) fn must_run_tests(mut self) -> Self {
        self.demand = Demand::SuccessWithTests;
        self
    }

    /// Runs it and waits for its end.
    pub(crate) fn run(&self, root: &Path) -> Result<()> {
        self.folders.iter().try_for_each(fs::create_dir_all)?;
        writeln!(io::stdout(), "$ {self}")?;
        let status = match self.demand {
            Demand::Success => self.command(root).status()?,
            Demand::SuccessWithTests => self.run_with_tests(root)?,
        };
        if status.success() { Ok(()) } else { Err(format!("`{self}` ended with {status}").into()) }
    }

    fn run_with_tests(&self, root: &Path) -> Result<ExitStatus> {
        let mut child = self.command(root).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("the output of cargo was not piped")?;
        let counted = pass_on_counting(output, &mut io::stdout());
        let status = child.wait()?;
        if status.success() && !counted?.all_ran_some() {
            return Err(format!("`{self}` passed, but a test binary had nothing to run").into());
        }
        Ok(status)
    }

    /// The build of the tests that it runs, without a word and for when nobody else has a use for the processor; none where
    /// another part might have to wait for it.
    pub(crate) fn build(&self, root: &Path) -> Option<Command> {
        let (first, rest) = self.arguments.split_first()?;
        if !self.is_built_apart || first != "test" {
            return None;
        }
        let command = self.command(root);
        let mut build = Command::new("setpriv");
        // It ends with this program, however that ends.
        build
            .args(["--pdeathsig", "TERM", "chrt", "--idle", "0"])
            .arg(command.get_program())
            .args([first, "--no-run"])
            .args(rest);
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => build.env(name, value),
                None => build.env_remove(name),
            };
        }
        build.current_dir(root).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // A group that can be ended whole, compilers included.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut build, 0);
        Some(build)
    }

    fn command(&self, root: &Path) -> Command {
        let mut command = self.program.command();
        command
            .args(&self.arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(first) = &self.first {
            let inherited = env::var("PATH").unwrap_or_default();
            command.env("PATH", format!("{}:{inherited}", first.display()));
        }
        // Cargo's word for this program: a tool that sees it takes itself for one that cargo has not called.
        command.env_remove("CARGO_PKG_NAME");
        command.current_dir(root).stdin(Stdio::null());
        command
    }
}

impl Display for Step {
    /// As it would be typed.
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.variables {
            write!(formatter, "{name}={value:?} ")?;
        }
        if let Some(first) = &self.first {
            write!(formatter, "PATH={}:$PATH ", first.display())?;
        }
        write!(formatter, "{} {}", self.program, self.arguments.join(" "))
    }
}

impl Program {
    fn command(&self) -> Command {
        match self {
            Self::Cargo => Command::new(cargo()),
            Self::DebiansCargo => {
                let mut command = Command::new("/usr/bin/cargo");
                command.env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
                command.env_remove("RUSTDOC").env_remove("LD_LIBRARY_PATH");
                command
            }
            Self::Other(path) => Command::new(path),
        }
    }
}

impl Display for Program {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cargo => formatter.write_str("cargo"),
            Self::DebiansCargo => {
                formatter.write_str("RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 /usr/bin/cargo")
            }
            Self::Other(path) => path.display().fmt(formatter),
        }
    }
}

/// The cargo that runs this program, so that a chosen toolchain stays chosen.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// How many test binaries announced tests, and how many of them announced none.
#[derive(Debug, Default, PartialEq, Eq)]
struct TestBinaries {
    all: usize,
    empty: usize,
}

impl TestBinaries {
    fn all_ran_some(&self) -> bool {
        self.all > 0 && self.empty == 0
    }

    /// The test harness of Rust begins with `running 3 tests`.
    fn hear(&mut self, line: &str) {
        let Some(announced) = line.trim_end().strip_prefix("running ") else {
            return;
        };
        let Some((number, "test" | "tests")) = announced.split_once(' ') else {
            return;
        };
        self.all += 1;
        self.empty += usize::from(number == "0");
    }
}

/// Passes the output on line by line as it comes, and counts on the way.
fn pass_on_counting(output: impl Read, to: &mut impl Write) -> io::Result<TestBinaries> {
    let mut binaries = TestBinaries::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        binaries.hear(&line);
        writeln!(to, "{line}")?;
    }
    Ok(binaries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_shows_as_it_would_be_typed() {
        let step =
            Step::cargo("doc  --no-deps").flags("XTASK_TEST_UNSET", "-D warnings").argument("a b");
        assert_eq!(step.to_string(), "XTASK_TEST_UNSET=\"-D warnings\" cargo doc --no-deps a b");
    }

    #[test]
    fn what_is_built_apart_is_built_without_a_run_for_when_the_processor_is_free() {
        let step = Step::cargo("test --lib").built_in(Path::new("/t")).argument("model");
        let build = step.build(Path::new(".")).unwrap();
        let arguments: Vec<_> =
            build.get_args().skip(6).map(|word| word.to_str().unwrap()).collect();
        assert_eq!(build.get_program(), "setpriv");
        assert_eq!(arguments, ["test", "--no-run", "--lib", "--target-dir", "/t", "model"]);
        assert!(Step::cargo("test --lib").build(Path::new(".")).is_none());
    }

    #[test]
    fn a_run_that_fails_names_its_command_and_its_status() {
        let message = run("this-failure-belongs-to-a-test").unwrap_err().to_string();
        let expected = "`cargo this-failure-belongs-to-a-test` ended with exit";
        assert!(message.starts_with(expected), "{message}");
    }

    #[test]
    fn a_run_that_succeeds_passes() {
        run("--version").unwrap();
    }

    #[test]
    fn a_run_that_must_run_tests_fails_without_any() {
        let step = Step::cargo("--version").must_run_tests();
        let message = step.run(Path::new(".")).unwrap_err().to_string();
        assert!(message.contains("had nothing to run"), "{message}");
    }

    #[test]
    fn output_is_passed_on_whole_and_its_test_binaries_are_counted() {
        assert_eq!(
            count("running 2 tests\nok\n\nrunning 1 test\n"),
            TestBinaries { all: 2, empty: 0 }
        );
        assert_eq!(
            count("running 2 tests\n\nrunning 0 tests\n"),
            TestBinaries { all: 2, empty: 1 }
        );
        assert_eq!(count("nothing to say\n"), TestBinaries { all: 0, empty: 0 });
    }

    #[test]
    fn every_binary_must_run_some() {
        assert!(TestBinaries { all: 2, empty: 0 }.all_ran_some());
        assert!(!TestBinaries { all: 2, empty: 1 }.all_ran_some());
        assert!(!TestBinaries { all: 0, empty: 0 }.all_ran_some());
    }

    fn run(line: &str) -> Result<()> {
        Step::cargo(line).run(Path::new("."))
    }

    fn count(output: &str) -> TestBinaries {
        let mut passed_on = Vec::new();
        let binaries = pass_on_counting(output.as_bytes(), &mut passed_on).unwrap();
        assert_eq!(String::from_utf8(passed_on).unwrap(), output);
        binaries
    }
}
