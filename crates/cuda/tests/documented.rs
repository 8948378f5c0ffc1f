//! The page for users says of each function of the driver that is called what a driver without it cannot do.
//!
//! With `SYNCPOINT_BLESS` set the table is written there first, for a person to read in the difference.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod fake;
mod uses;

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use syncpoint::Device;

use fake::Fake;
use uses::{PATIENCE, USES, WITH_GATES};

/// The function that the library of a child lacks.
const LACKS: &str = "SYNCPOINT_TEST_LACKS";

/// How a child begins a line with what it was refused.
const REFUSED: &str = "refused: ";

/// What of the page is written by this test.
const BEGIN: &str = "<!-- functions -->";
const END: &str = "<!-- end of functions -->";

/// Functions without which nothing is refused, and what else becomes of that.
const OTHERWISE: &[(&str, &str)] = &[
    ("cuDriverGetVersion", "messages do not say which driver it is"),
    ("cuGetErrorName", "codes that are not known here are told by their number alone"),
    ("cuDeviceGetName", "the device has no name besides its number"),
    ("cuDevicePrimaryCtxRelease_v2", "contexts stay until the process ends"),
    ("cuCtxGetId", "the device of a context of others is named by its address"),
    ("cuCtxGetStreamPriorityRange", "there is one priority"),
    ("cuThreadExchangeStreamCaptureMode", "there are no captures to be careful of"),
    ("cuStreamDestroy_v2", "streams stay until their context ends"),
    ("cuStreamGetId", "a stream is told apart by its address, which may be used again"),
    ("cuStreamGetPriority", "a stream of others is said to have the priority 0"),
    ("cuStreamGetCtx", "the one below is asked"),
    ("cuStreamIsCapturing", "nothing is known of captures"),
    ("cuEventDestroy_v2", "events stay until their context ends"),
    ("cuEventElapsedTime", "asked only where the one below is missing"),
    ("cuEventElapsedTime_v2", "the one above is asked"),
    ("cuIpcOpenEventHandle", "streams wait through the host for events of other processes"),
    ("cuMemAlloc_v2", "asked only where the device has no memory pools"),
    ("cuMemFree_v2", "asked only where the device has no memory pools"),
    ("cuMemAllocAsync", "memory is had at once, and a free waits for the device"),
    ("cuMemFreeAsync", "memory is had at once, and a free waits for the device"),
    ("cuMemHostRegister_v2", "bytes are copied once more on their way"),
    ("cuMemHostUnregister", "what is pinned stays so until its context ends"),
    ("cuModuleUnload", "the kernel of delays stays until its context ends"),
];

#[test]
fn the_page_says_of_each_function_what_is_lost_without_it() {
    let rows: String = syncpoint::cuda::functions().map(row).collect();
    let expected = format!("\n| Function | Since CUDA | Without it |\n|---|---|---|\n{rows}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cuda.md");
    let text = fs::read_to_string(&path).expect("the page is there");
    let (before, rest) = text.split_once(BEGIN).expect(BEGIN);
    let (found, after) = rest.split_once(END).expect(END);
    if env::var_os("SYNCPOINT_BLESS").is_some() {
        let whole = format!("{before}{BEGIN}{expected}{END}{after}");
        fs::write(&path, whole).expect("the page can be written");
    } else {
        assert_eq!(found, expected, "run it with SYNCPOINT_BLESS=1 and read the difference");
    }
}

fn row(function: &'static str) -> String {
    let mut child = Command::new(env::current_exe().expect("a test has a program"));
    child.args(["--exact", "without_a_function", "--nocapture"]).env(LACKS, function);
    let ended = child.output().expect("a child runs");
    let told = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{function}: {told}");
    let refused: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix(REFUSED)).collect();
    let otherwise = OTHERWISE.iter().find(|(known, _)| *known == function).map(|(_, what)| *what);
    let lost = match (refused.as_slice(), otherwise) {
        (["devices"], _) => "no device".to_owned(),
        ([], what) => what.unwrap_or_else(|| panic!("{function}: say what it is for")).to_owned(),
        (refused, what) => {
            let also = what.map(|what| format!("; {what}")).unwrap_or_default();
            format!("refused: {}{also}", refused.join(", "))
        }
    };
    let since = syncpoint::cuda::since(function).expect("it is in the table");
    let (major, minor) = (since / 1000, since % 1000 / 10);
    format!("| `{function}` | {major}.{minor} | {lost} |\n")
}

/// What the children do; nothing where no function was given.
#[test]
fn without_a_function() {
    let Ok(function) = env::var(LACKS) else { return };
    Fake::without(&function);
    let Ok(device) = syncpoint::cuda::open(0) else { return println!("\n{REFUSED}devices") };
    println!();
    for (what, _) in USES.iter().filter(|(_, part)| part(&device).is_err()) {
        println!("{REFUSED}{what}");
    }
    let with_gates = syncpoint::cuda::builder().device_gates(PATIENCE).open(0);
    for (what, part) in WITH_GATES {
        let outcome = with_gates.as_ref().map(|device: &Device| part(device));
        if !matches!(outcome, Ok(Ok(()))) {
            println!("{REFUSED}{what}");
        }
    }
}
