//! Figures: what a process of its own measured, printed and read back, and medians over several such processes.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use syncpoint_conformance::allocation;

/// What one process measured, by name.
#[derive(Default)]
pub(crate) struct Figures(BTreeMap<String, f64>);

impl Figures {
    pub(crate) fn note(&mut self, name: &str, value: f64) {
        self.0.insert(name.to_owned(), value);
    }

    /// Nanoseconds since then, and those of them that all threads of this process computed, which other programs of the
    /// machine change less.
    pub(crate) fn time(&mut self, name: &str, begin: &Begin) {
        self.note(name, begin.at.elapsed().as_secs_f64() * 1e9);
        self.note(&format!("{name} cpu"), computed() - begin.computed);
    }

    pub(crate) fn get(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn print(&self) {
        for (name, value) in &self.0 {
            println!("{name} {value}");
        }
    }

    fn read(text: &str) -> Self {
        let row = |line: &str| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        Self(text.lines().filter_map(row).collect())
    }
}

/// When something began.
pub(crate) struct Begin {
    at: Instant,
    computed: f64,
}

impl Begin {
    pub(crate) fn now() -> Self {
        Self { at: Instant::now(), computed: computed() }
    }
}

/// Nanoseconds that this process has computed.
#[cfg(unix)]
fn computed() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// Elsewhere nobody is asked.
#[cfg(not(unix))]
fn computed() -> f64 {
    f64::NAN
}

/// The medians of the figures that this program prints when it is asked for them in so many processes, one by one.
pub(crate) fn of_processes(processes: usize, arguments: &[&str]) -> Figures {
    let all: Vec<Figures> = (0..processes).map(|_| of_one_process(arguments)).collect();
    let names = all.iter().flat_map(|figures| figures.0.keys());
    let medians = names
        .map(|name| (name.clone(), median(all.iter().map(|figures| figures.get(name)).collect())));
    Figures(medians.collect())
}

fn of_one_process(arguments: &[&str]) -> Figures {
    let program = std::env::current_exe().expect("this program has a path");
    let output = Command::new(program)
        .arg(crate::ALONE)
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()
        .expect("this program can be run");
    assert!(output.status.success(), "{arguments:?} ends with {}", output.status);
    Figures::read(&String::from_utf8_lossy(&output.stdout))
}

pub(crate) fn median(samples: Vec<f64>) -> f64 {
    quantile(samples, 0.5)
}

/// The sample below which such a part of all lies.
pub(crate) fn quantile(mut samples: Vec<f64>, part: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let last = samples.len().saturating_sub(1);
    samples.get((last as f64 * part) as usize).copied().unwrap_or(f64::NAN)
}

/// What lives, against what lived when it was begun.
pub(crate) struct Weight {
    live: i64,
    resident: f64,
}

impl Weight {
    pub(crate) fn begin() -> Self {
        Self { live: allocation::live(), resident: resident("VmRSS:") }
    }

    /// Bytes that live now and did not then.
    pub(crate) fn live(&self) -> f64 {
        (allocation::live() - self.live) as f64
    }

    pub(crate) fn note_built(&self, figures: &mut Figures) {
        figures.note("built bytes", self.live());
        figures.note("built resident", resident("VmRSS:") - self.resident);
    }

    pub(crate) fn note_end(&self, figures: &mut Figures) {
        figures.note("peak bytes", (allocation::peak() - self.live) as f64);
        figures.note("left bytes", self.live());
        figures.note("peak resident", resident("VmHWM:") - self.resident);
    }
}

/// Bytes, as the system tells in kilobytes.
fn resident(name: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kilobytes.map_or(f64::NAN, |kilobytes| kilobytes * 1024.0)
}
