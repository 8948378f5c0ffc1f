//! What this machine has: told beside the facts, since it is no fact about drivers.

use crate::answer::{Asked, Unasked};
use crate::driver::Driver;
use crate::questions::Question;
use crate::session::Session;

/// What `cuDeviceGetAttribute` calls events for other processes, and values in memory of 64 bits.
const IPC_EVENTS: i32 = 125;
const VALUES_64: i32 = 122;

/// Which library it is; without an answer nothing else can be asked.
pub(crate) const LIBRARY: Question = Question {
    name: "machine.library",
    asks: "which library is asked?",
    ask: |driver| Ok(driver.place.clone()),
};

pub(crate) const QUESTIONS: &[Question] = &[
    LIBRARY,
    Question {
        name: "machine.device",
        asks: "what is the first device called?",
        ask: |driver| driver.device_name(Session::begin(driver)?.device),
    },
    Question {
        name: "machine.version",
        asks: "which version of CUDA does the driver serve?",
        ask: |driver| {
            let mut version = 0;
            driver.driver_version(&mut version)?.needed()?;
            Ok(format!("{}.{}", version / 1000, version % 1000 / 10))
        },
    },
    Question {
        name: "machine.kernel_module",
        asks: "which version has the part of the driver that lies in the kernel?",
        ask: |_| kernel_module(),
    },
    Question {
        name: "machine.devices",
        asks: "how many devices are there?",
        ask: |driver| {
            let mut count = 0;
            driver.init(0)?.needed()?;
            driver.device_count(&mut count)?.needed()?;
            Ok(count.to_string())
        },
    },
    Question {
        name: "machine.priorities",
        asks: "which priorities may streams have, from the least to the greatest?",
        ask: |driver| {
            let (mut least, mut greatest) = (0, 0);
            Session::begin(driver)?;
            driver.priority_range(&mut least, &mut greatest)?.needed()?;
            Ok(format!("{least} to {greatest}"))
        },
    },
    Question {
        name: "machine.ipc_events",
        asks: "does the device say that it has events for other processes?",
        ask: |driver| attribute(driver, IPC_EVENTS),
    },
    Question {
        name: "machine.values_64",
        asks: "does it say that its streams write and await values of 64 bits?",
        ask: |driver| attribute(driver, VALUES_64),
    },
];

/// The version is the first word of the first line that begins with a digit.
fn kernel_module() -> Asked<String> {
    const FILE: &str = "/proc/driver/nvidia/version";
    let text = std::fs::read_to_string(FILE).map_err(|_| Unasked::Lacking(FILE))?;
    let line = text.lines().next().unwrap_or_default();
    let version =
        line.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    Ok(version.unwrap_or(line).to_owned())
}

fn attribute(driver: &'static Driver, attribute: i32) -> Asked<String> {
    let (session, mut value) = (Session::begin(driver)?, 0);
    driver.device_attribute(&mut value, attribute, session.device)?.needed()?;
    Ok(if value == 0 { "no" } else { "yes" }.to_owned())
}
