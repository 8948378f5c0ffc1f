//! Where the library for C lies: built with whatever depends on this crate.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::sync::atomic::{AtomicU32, Ordering};

/// What cargo calls the library.
const NAME: &str = "libsyncpoint_cuda_fake.so";

/// The path of the library for C that was built together with the program that calls: a test, a bench or an example
/// whose package depends on this one.
///
/// # Panics
/// When there is none near the program: it was moved, or built without it.
pub fn library() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let above = program.ancestors().skip(1).take(2);
    let mut folders = above.flat_map(|folder| [folder.to_owned(), folder.join("deps")]);
    let found = folders.find_map(|folder| Some(folder.join(NAME)).filter(|path| path.exists()));
    assert!(
        found.is_some(),
        "{NAME} is not near {}; build it with `cargo build -p syncpoint-cuda-fake`",
        program.display()
    );
    found.unwrap_or_default()
}

/// A folder in which the library has the names `libcuda.so.1` and `libcuda.so`, for `LD_LIBRARY_PATH`: some programs ask
/// for the second name first, which on a machine with a driver leads to that.
///
/// # Errors
/// The system's, where the link cannot be made.
///
/// # Panics
/// As [`library`].
pub fn folder() -> io::Result<PathBuf> {
    let library = library();
    let folder = library.with_file_name("syncpoint-cuda-fake");
    fs::create_dir_all(&folder)?;
    for name in ["libcuda.so.1", "libcuda.so"] {
        link(&library, &folder.join(name))?;
    }
    Ok(folder)
}

/// A copy of the library in a folder, without the functions of the driver that are not to be kept: looking them up by
/// name finds nothing, as in a driver that is too old for them.
///
/// # Errors
/// The system's, where the copy cannot be made.
///
/// # Panics
/// As [`library`].
pub fn reduced(folder: &Path, keep: impl Fn(&str) -> bool) -> io::Result<PathBuf> {
    copied(folder, |name| is_drivers(name) && !keep(name))
}

/// A copy of the library in a folder, without its control surface, which no driver has: what runs on it asks for nothing but
/// functions of the driver.
///
/// # Errors
/// As [`reduced`].
///
/// # Panics
/// As [`library`].
pub fn uncontrolled(folder: &Path) -> io::Result<PathBuf> {
    copied(folder, |name| name.starts_with("syncpointFake"))
}

fn copied(folder: &Path, is_hidden: impl Fn(&str) -> bool) -> io::Result<PathBuf> {
    let mut bytes = fs::read(library())?;
    let is_end = |byte: &u8| *byte == 0;
    for word in bytes.split_mut(is_end) {
        if is_name(word) && std::str::from_utf8(word).is_ok_and(&is_hidden) {
            // The table of names is found by hashes of what they were, and compares them with what they are.
            word[0] = b'-';
        }
    }
    let copy = folder.join("libcuda.so.1");
    fs::write(&copy, bytes)?;
    Ok(copy)
}

/// Whether a word may be the name of a function, as it stands among the names of a library.
fn is_name(word: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    !word.is_empty() && word.iter().all(is_letter)
}

/// Whether a name is that of a function of the driver.
fn is_drivers(name: &str) -> bool {
    let rest = name.strip_prefix("cu");
    rest.is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
}

/// Links under a name of this call's own first, so that tests that run beside this one always find a whole link.
#[cfg(unix)]
fn link(library: &Path, name: &Path) -> io::Result<()> {
    static DRAFTS: AtomicU32 = AtomicU32::new(0);
    // Relaxed: a number, ordered with nothing.
    let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
    let draft = name.with_extension(format!("{}-{number}", std::process::id()));
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::os::unix::fs::symlink(library, &draft)?;
    fs::rename(draft, name)
}

#[cfg(not(unix))]
fn link(library: &Path, name: &Path) -> io::Result<()> {
    fs::copy(library, name).map(drop)
}
