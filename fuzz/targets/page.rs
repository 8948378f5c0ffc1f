//! Any bytes on the page of another process's event: whoever imported it gets an answer, and always the same one.
//!
//! The other process is this program once more, which exports an event and lives until its input ends.
#![no_main]

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;
use std::{env, process};

use libfuzzer_sys::fuzz_target;
use syncpoint::{Device, Event, EventOptions, EventState, IpcHandle, Kind};

/// Says to the other process what it is.
const OTHER: &str = "SYNCPOINT_FUZZ_OTHER";

/// How long a page is, and how much of its beginning says which event it is of.
const LENGTH: usize = 4096;
const NAME: usize = 8;

/// The imported event, and the file that its page lies in.
struct Imported {
    device: Device,
    handle: IpcHandle,
    event: Event,
    page: File,
    name: [u8; NAME],
    _other: Child,
}

static IMPORTED: OnceLock<Imported> = OnceLock::new();

fuzz_target!(
    init: {
        if env::var_os(OTHER).is_some() {
            export();
        }
        IMPORTED.get_or_init(import);
    },
    |bytes: &[u8]| {
        let Some(imported) = IMPORTED.get() else { return };
        imported.write(bytes);
        answers(&imported.event);
        answers(&imported.device.import_event(&imported.handle).expect("its name is as it was"));
    }
);

impl Imported {
    /// Behind the name the bytes, and zeros to the end. Mapped pages show it at once.
    fn write(&self, bytes: &[u8]) {
        let mut page = [0; LENGTH];
        page[..NAME].copy_from_slice(&self.name);
        page[NAME..].iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
        self.page.write_all_at(&page, 0).expect("the page was made whole");
    }
}

/// All that can be asked agrees.
fn answers(event: &Event) {
    let (query, waited) = (event.query(), event.synchronize_timeout(Duration::ZERO));
    match event.state() {
        EventState::Complete | EventState::NeverRecorded => {
            assert!(query.expect("it is complete") && waited.is_ok());
        }
        EventState::Pending => {
            assert!(!query.expect("it is pending"));
            assert_eq!(waited.map_err(|error| error.kind()), Err(Kind::TimedOut));
        }
        EventState::Failed(error) => {
            assert_eq!(query.map_err(|error| error.kind()), Err(error.kind()));
            assert_eq!(waited.map_err(|error| error.kind()), Err(error.kind()));
        }
        other => unreachable!("a state of a later version: {other:?}"),
    }
}

fn import() -> Imported {
    let program = env::current_exe().expect("a program knows where it is");
    let mut other = Command::new(program)
        .env(OTHER, "yes")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program can be run");
    let mut line = String::new();
    let said = other.stdout.take().expect("it is piped");
    BufReader::new(said).read_line(&mut line).expect("the other process says its handle");
    let handle: IpcHandle = line.trim().parse().expect("it says nothing else");

    let device = syncpoint::open("host:0").expect("the host is always there");
    let event = device.import_event(&handle).expect("the other process lives");
    let page = File::options().read(true).write(true).open(page_of(&other)).expect("its user");
    let mut name = [0; NAME];
    page.read_exact_at(&mut name, 0).expect("the page was made whole");
    Imported { device, handle, event, page, name, _other: other }
}

/// The only page of the other process, whose number is in its name.
fn page_of(other: &Child) -> PathBuf {
    let folder = env::var_os("SYNCPOINT_IPC_DIR").unwrap_or_else(|| "/dev/shm".into());
    let number = format!("-{:x}-", other.id());
    let entries = fs::read_dir(folder).expect("the folder of the pages").flatten();
    let mut paths = entries.map(|entry| entry.path());
    let is_page = |path: &PathBuf| {
        let name = path.to_string_lossy();
        name.contains(&number) && name.ends_with(".page")
    };
    paths.find(is_page).expect("its page is there")
}

/// The other process.
fn export() -> ! {
    let device = syncpoint::open("host:0").expect("the host is always there");
    let options = EventOptions::builder().interprocess().build().expect("a known option");
    let event = device.event_with(options).expect("Linux 5.16 or later");
    println!("{}", event.export().expect("room in /dev/shm"));
    let _ended = io::stdin().read_to_end(&mut Vec::new());
    drop(event);
    process::exit(0)
}
