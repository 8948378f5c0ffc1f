//! `syncpoint devices`: what this machine has, and why it has no more.

use std::io;

use serde::Serialize;
use syncpoint::{Availability, Device};

use super::{arguments, exit, print};

/// The version of the JSON form: it grows when a key changes its meaning or goes.
const VERSION: u32 = 1;

/// Lists the devices, and answers the exit status.
pub(super) fn devices(arguments: &arguments::Devices) -> u8 {
    let backends: Vec<Backend> = syncpoint::available().iter().map(Backend::of).collect();
    let told = print::result(|output| {
        if arguments.json {
            return json(&backends, output);
        }
        output.write_all(text(&backends).as_bytes())
    });
    match told {
        Ok(()) => exit::DONE,
        Err(error) => {
            print::note(format!("the devices cannot be written: {error}"));
            exit::REFUSED
        }
    }
}

/// A backend: its devices, or why it has none.
#[derive(Serialize)]
struct Backend {
    name: &'static str,
    devices: Vec<Found>,
    absent: Option<String>,
}

/// A device that was counted: it, or why it cannot be opened.
#[derive(Serialize)]
struct Found {
    name: String,
    clock: Option<Clock>,
    capabilities: Option<Capabilities>,
    absent: Option<String>,
}

#[derive(Serialize)]
struct Clock {
    name: String,
    resolution_ns: u64,
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
struct Capabilities {
    timing: bool,
    interprocess: bool,
    external: bool,
    native_handle: bool,
    priorities: Priorities,
}

#[derive(Serialize)]
struct Priorities {
    least: i32,
    greatest: i32,
}

impl Backend {
    fn of(availability: &Availability) -> Self {
        let name = availability.backend;
        match &availability.devices {
            Ok(Some(count)) => {
                let names = (0..*count).map(|number| format!("{name}:{number}"));
                Self { name, devices: names.map(Found::of).collect(), absent: None }
            }
            Ok(None) => Self::begun(name),
            Err(error) => Self { name, devices: Vec::new(), absent: Some(error.to_string()) },
        }
    }
}

impl Backend {
    /// A backend whose driver has to begin before it counts its devices; one that cannot begin says why.
    fn begun(name: &'static str) -> Self {
        let is_its = |device: &String| device.split(':').next() == Some(name);
        let devices: Vec<_> =
            syncpoint::devices().into_iter().filter(is_its).map(Found::of).collect();
        let refused = if devices.is_empty() { syncpoint::open(name).err() } else { None };
        Self { name, devices, absent: refused.map(|error| error.to_string()) }
    }
}

impl Found {
    fn of(name: String) -> Self {
        match syncpoint::open(&name) {
            Ok(device) => Self {
                name,
                clock: Some(Clock::of(&device)),
                capabilities: Some(Capabilities::of(&device)),
                absent: None,
            },
            Err(error) => {
                Self { name, clock: None, capabilities: None, absent: Some(error.to_string()) }
            }
        }
    }
}

impl Clock {
    fn of(device: &Device) -> Self {
        let clock = device.clock();
        let resolution_ns = u64::try_from(clock.resolution().as_nanos()).unwrap_or(u64::MAX);
        Self { name: clock.name().to_owned(), resolution_ns }
    }
}

impl Capabilities {
    fn of(device: &Device) -> Self {
        let has = device.capabilities();
        let priorities =
            Priorities { least: has.priorities.least(), greatest: has.priorities.greatest() };
        Self {
            timing: has.timing,
            interprocess: has.interprocess,
            external: has.external,
            native_handle: has.native_handle,
            priorities,
        }
    }

    /// The names of those that the device has, or lacks.
    fn names(&self, wanted: bool) -> String {
        let all = [
            (self.timing, "timing"),
            (self.interprocess, "events between processes"),
            (self.external, "events in captures"),
            (self.native_handle, "native handles"),
        ];
        let names: Vec<&str> =
            all.iter().filter(|(has, _)| *has == wanted).map(|(_, name)| *name).collect();
        if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
    }
}

fn json(backends: &[Backend], mut output: &mut dyn io::Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<'b> {
        version: u32,
        backends: &'b [Backend],
    }
    serde_json::to_writer_pretty(&mut output, &Document { version: VERSION, backends })?;
    writeln!(output)
}

/// A paragraph for each backend.
fn text(backends: &[Backend]) -> String {
    let width = backends.iter().map(|backend| backend.name.len()).max().unwrap_or(0);
    let paragraph = |backend: &Backend| {
        let name = format!("{:width$}", backend.name);
        match &backend.absent {
            Some(reason) => format!("{name}  not available: {reason}\n"),
            None if backend.devices.is_empty() => format!("{name}  no device\n"),
            None => format!("{name}  {}\n{}", count(backend), devices_text(&backend.devices)),
        }
    };
    backends.iter().map(paragraph).collect::<Vec<_>>().join("\n")
}

fn count(backend: &Backend) -> String {
    match backend.devices.len() {
        1 => "1 device".to_owned(),
        count => format!("{count} devices"),
    }
}

fn devices_text(devices: &[Found]) -> String {
    devices.iter().map(Found::text).collect()
}

impl Found {
    /// A line for each thing that is known.
    fn text(&self) -> String {
        let name = &self.name;
        let (Some(clock), Some(has)) = (&self.clock, &self.capabilities) else {
            let reason = self.absent.as_deref().unwrap_or("nobody knows why");
            return format!("  {name}  cannot be opened: {reason}\n");
        };
        let Priorities { least, greatest } = has.priorities;
        let lines = [
            format!("clock       {}, resolution {} ns", clock.name, clock.resolution_ns),
            format!("priorities  {least} (least urgent) to {greatest} (most urgent)"),
            format!("has         {}", has.names(true)),
            format!("lacks       {}", has.names(false)),
        ];
        let margin = format!("\n  {:1$}  ", "", name.len());
        format!("  {name}  {}\n", lines.join(&margin))
    }
}
