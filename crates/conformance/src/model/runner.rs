//! The runner: draws programs from seeds, and tells a failure with its seed and the shrunk program.

use std::env;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use syncpoint::{Device, Result};

use super::drive::{Difference, Drive};
use super::program::{GATES, Operation, Program, programs};

/// How a backend is tried.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a handful of numbers, written in one place")]
pub struct Trial {
    /// The seeds: from 0 up to this. In the environment `SYNCPOINT_SEEDS` is another count, and `SYNCPOINT_SEED` the
    /// one seed to try.
    pub seeds: u64,
    /// How many programs are drawn from each.
    pub programs: u32,
    /// How often each program runs, where a backend does not do the same every time.
    pub repeats: u32,
    /// Whether work that a device was given before a failure may still be on its way in the era after it; where only the
    /// host runs work, nothing is.
    pub runs_on: bool,
    /// Whether bytes are also read where the order of the program leaves open what another stream has written there by then.
    /// A sanitizer rightly tells of that.
    pub races: bool,
}

/// Panics with the seed and the shrunk program if the backend differs from the reference. Each seed has devices of its
/// own.
pub fn hold<O>(trial: Trial, open: O)
where
    O: Fn(u64) -> Result<Vec<Device>>,
{
    let seeds = match (number("SYNCPOINT_SEED"), number("SYNCPOINT_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(trial.seeds),
    };
    for seed in seeds {
        let devices = open(seed).expect("a backend on trial opens its devices");
        if let Err(story) = hold_seed(trial, seed, &devices) {
            panic!("seed {seed} (run it alone with SYNCPOINT_SEED={seed}): {story}");
        }
    }
}

/// A number in the environment.
fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}, and must be a number")))
}

fn hold_seed(trial: Trial, seed: u64, devices: &[Device]) -> Result<(), String> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config {
        cases: trial.programs,
        failure_persistence: None,
        max_shrink_time: SHRINKING,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let outcome = runner.run(&programs(), |program| {
        let mut runs = (0..trial.repeats).map(|_| run_guarded(trial, &program, devices));
        runs.try_for_each(|run| run).map_err(TestCaseError::fail)
    });
    outcome.map_err(|error| match error {
        TestError::Fail(reason, program) => format!("{reason}\n{program:?}"),
        TestError::Abort(reason) => reason.to_string(),
    })
}

/// Milliseconds.
const SHRINKING: u32 = 60_000;

/// How long a program may take altogether.
const LONG: Duration = Duration::from_secs(10);

/// Runs a program on a thread of its own, so that one that hangs is a failure with a program.
fn run_guarded(trial: Trial, program: &Program, devices: &[Device]) -> Result<(), Difference> {
    let (sender, receiver) = channel();
    let (own_program, own_devices) = (program.clone(), devices.to_vec());
    thread::spawn(move || sender.send(run(trial, &own_program, &own_devices)).is_ok());
    match receiver.recv_timeout(LONG) {
        Ok(outcome) => outcome,
        Err(RecvTimeoutError::Timeout) => {
            Err(format!("the program hangs: not done after {LONG:?}"))
        }
        Err(RecvTimeoutError::Disconnected) => Err("the program panicked".to_owned()),
    }
}

/// Runs a program to its end. Then every gate is dropped, so that everything settles.
fn run(trial: Trial, program: &Program, devices: &[Device]) -> Result<(), Difference> {
    let mut drive = Drive::new(trial, program, devices).map_err(|error| error.to_string())?;
    let at = |number: usize| move |difference| format!("operation {number}: {difference}");
    for (number, operation) in program.operations.iter().enumerate() {
        drive.perform(number, *operation).map_err(at(number))?;
    }
    let end = program.operations.len();
    drive.perform(end, Operation::Settle { helping: false }).map_err(at(end))?;
    for gate in 0..GATES {
        drive.drop_gate(gate.into());
    }
    drive.perform(end, Operation::Settle { helping: true }).map_err(at(end))
}
