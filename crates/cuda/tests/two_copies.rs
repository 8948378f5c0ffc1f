//! Two copies of the library in one process: each has its own threads and tables, and both use one driver.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "a library is loaded and called")]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod fake;

use std::ffi::{CString, c_char};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use libloading::Library;
use syncpoint_conformance::patience::settle;

use fake::Fake;

type UseSyncpoint = unsafe extern "C" fn(*const c_char) -> i32;

#[test]
fn two_copies_in_one_process_use_one_driver_and_may_be_unloaded() {
    let name = "two_copies_in_one_process_use_one_driver_and_may_be_unloaded";
    Fake::alone(name, |fake| {
        let driver = syncpoint_cuda_fake::library().into_os_string().into_encoded_bytes();
        let driver = CString::new(driver).expect("a path has no zeros");
        let library = library();
        let copy = library.with_extension("copy.so");
        fs::copy(&library, &copy).expect("a library can be copied");
        let stream = syncpoint::cuda::open(0)?.stream()?;
        stream.delay(Duration::from_millis(100))?;
        let pending = stream.record()?;
        let libraries = [library, copy].map(|path| {
            // SAFETY: nothing of the library runs when it is loaded.
            unsafe { Library::new(path) }.expect("it can be loaded")
        });
        for library in &libraries {
            // SAFETY: the library exports the function so.
            let function = unsafe { library.get::<UseSyncpoint>(c"use_syncpoint") };
            let function = function.expect("it is there");
            // SAFETY: the path is a text of C.
            assert_eq!(unsafe { function(driver.as_ptr()) }, 0, "a library uses its own copy");
        }
        assert_eq!(fake.count("cuDevicePrimaryCtxRetain"), 3, "by each copy once");
        for library in libraries {
            library.close().expect("it can be unloaded");
        }
        settle(&pending);
        // Long enough for threads of what was unloaded to come to their next look.
        stream.delay(Duration::from_millis(300))?;
        settle(&stream.record()?);
        Ok(())
    });
}

/// The example `loaded_cuda`, built now: no way to run tests builds a library for C with them.
fn library() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--message-format=json", "--example", "loaded_cuda"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let built = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let told = String::from_utf8(built.stdout).expect("what cargo tells is text");
    let path = told.split('"').find(|word| word.ends_with("libloaded_cuda.so"));
    path.expect("cargo names what it has built").into()
}
