//! The scratch folder of a run: made empty, shared by its commands, removed at its end.

use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process,
};

use crate::plan::{Plan, Step, Work};

/// What stands for the folder in the texts of a command.
pub const PLACEHOLDER: &str = "{scratch}";
/// How many names are tried: more are taken only if somebody else takes them on purpose.
const TRIES: u32 = 1_000;

/// A folder of one run. It is removed with all that is in it, at the latest when the value is dropped.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    /// Makes an empty folder that only this user can enter, in the system's folder for temporary files.
    ///
    /// # Errors
    ///
    /// What the operating system answers.
    pub fn new() -> io::Result<Self> {
        Self::within(&env::temp_dir())
    }

    /// Making a folder fails where one of the name is, so nobody can have put anything into it before.
    fn within(parent: &Path) -> io::Result<Self> {
        let name = |number| parent.join(format!("syncpoint-{}-{number}", process::id()));
        for folder in (0..TRIES).map(name) {
            match make_private(&folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(Self { folder }),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A text with the path of the folder wherever [`PLACEHOLDER`] stands.
    pub fn expand(&self, text: &str) -> OsString {
        let mut pieces = text.split(PLACEHOLDER);
        let mut expanded = OsString::from(pieces.next().unwrap_or_default());
        for piece in pieces {
            expanded.push(&self.folder);
            expanded.push(piece);
        }
        expanded
    }

    /// Removes the folder now.
    ///
    /// # Errors
    ///
    /// What the operating system answers; dropping would not have said it.
    pub fn remove(self) -> io::Result<()> {
        fs::remove_dir_all(&self.folder)
    }
}

impl Drop for Scratch {
    /// A folder that cannot be removed stays: a drop has nobody to tell.
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).ok();
    }
}

#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(folder)
}

/// Elsewhere the system's folder for temporary files is the user's own.
#[cfg(not(unix))]
fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)
}

impl Plan {
    /// The first step whose command speaks of the scratch folder, so that the run has to make one.
    pub fn first_use_of_scratch(&self) -> Option<&Step> {
        self.steps().iter().find(|step| match &step.work {
            Work::Command(command) => command.texts().any(|text| text.contains(PLACEHOLDER)),
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scratch_folder_is_new_and_empty_and_goes_with_what_is_in_it() {
        let (one, other) = (Scratch::new().unwrap(), Scratch::new().unwrap());
        assert_ne!(one.folder(), other.folder());
        let folder = one.folder().to_owned();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        fs::create_dir(folder.join("sub")).unwrap();
        fs::write(folder.join("sub/file"), "x").unwrap();
        drop(one);
        assert!(!folder.exists());
        other.remove().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_enter_a_scratch_folder() {
        use std::os::unix::fs::PermissionsExt;
        let scratch = Scratch::new().unwrap();
        assert_eq!(fs::metadata(scratch.folder()).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_parent_that_is_missing_is_told() {
        let error = Scratch::within(Path::new("/no/such/folder")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn every_placeholder_becomes_the_folder() {
        let scratch = Scratch::new().unwrap();
        let folder = scratch.folder().display().to_string();
        assert_eq!(scratch.expand("a"), "a");
        assert_eq!(scratch.expand("{scratch}/x"), OsString::from(format!("{folder}/x")));
        let twice = format!("{folder}:{folder} {{other}}");
        assert_eq!(scratch.expand("{scratch}:{scratch} {other}"), OsString::from(twice));
    }
}
