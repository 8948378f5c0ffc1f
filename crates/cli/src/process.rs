//! A step's command as the operating system takes it.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process,
};

use crate::{
    plan::{Command, Plan},
    scratch::Scratch,
};

impl Plan {
    /// The folder that commands run in, where they name no other: the one that the file is in.
    pub fn folder(&self) -> &Path {
        let parent = self.file().parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or_else(|| Path::new("."))
    }
}

impl Command {
    /// The process to start, in a plan's folder: program, arguments, variables and folder, all placeholders replaced.
    ///
    /// Where its input and output go is left to the caller. Without a scratch folder placeholders stay as they are.
    pub fn process(&self, plan: &Plan, scratch: Option<&Scratch>) -> process::Command {
        let expand = |text: &String| match scratch {
            Some(scratch) => scratch.expand(text),
            None => OsString::from(text),
        };
        let folder: Option<PathBuf> = self.folder.as_ref().map(|folder| expand(folder).into());
        let mut process = process::Command::new(expand(&self.program));
        process.args(self.arguments.iter().map(expand));
        process.envs(self.environment.iter().map(|(name, value)| (name, expand(value))));
        // Joining a path that begins at the root, as the scratch folder's does, answers that path.
        process.current_dir(plan.folder().join(folder.unwrap_or_default()));
        process
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{DeviceName, Work};

    fn plan(file: &str, keys: &str) -> Plan {
        let text = format!(
            "[[stream]]\nname=\"s\"\n[[step]]\nname=\"c\"\nstream=\"s\"\ncommand=[\"echo\",\"{{scratch}}/x\"]\n{keys}"
        );
        Plan::parse(file.as_ref(), &text, &DeviceName::HOST).unwrap()
    }

    fn process(plan: &Plan, scratch: Option<&Scratch>) -> process::Command {
        let Work::Command(command) = &plan.steps()[0].work else { panic!("the step is a command") };
        command.process(plan, scratch)
    }

    #[test]
    fn a_command_runs_in_the_folder_of_its_file() {
        let folder =
            |file, keys| process(&plan(file, keys), None).get_current_dir().unwrap().to_owned();
        assert_eq!(folder("a/b.toml", ""), Path::new("a"));
        assert_eq!(folder("b.toml", ""), Path::new("."));
        assert_eq!(folder("a/b.toml", "dir=\"c\""), Path::new("a/c"));
        assert_eq!(folder("a/b.toml", "dir=\"/c\""), Path::new("/c"));
    }

    #[test]
    fn every_text_of_a_command_can_speak_of_the_scratch_folder() {
        let scratch = Scratch::new().unwrap();
        let plan = plan("a/b.toml", "dir=\"{scratch}\"\nenv={ HOME = \"{scratch}/h\" }");
        assert!(plan.first_use_of_scratch().is_some());
        let process = process(&plan, Some(&scratch));
        assert_eq!(process.get_current_dir(), Some(scratch.folder()));
        assert_eq!(process.get_args().collect::<Vec<_>>(), [scratch.folder().join("x")]);
        let home = scratch.folder().join("h");
        let variables: Vec<_> = process.get_envs().collect();
        assert_eq!(variables, [("HOME".as_ref(), Some(home.as_os_str()))]);
    }
}
