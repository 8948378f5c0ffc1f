//! Vulkan by hand: what a program without us calls for the same fills, on the same device of the machine.

mod driver;

use syncpoint::Device;

use super::super::{
    case::TURN,
    sample::{Rival, Sampler, Trouble, time_each},
};
use driver::Driver;

/// Who it is.
const CALLS: &str = "Vulkan calls";

/// The case, and what one operation of it is by hand.
type Entry = (&'static str, fn(&Driver) -> Result<(), Trouble>);

const CASES: [Entry; 4] = [
    ("fill", |driver| driver.fill(0).map(drop)),
    ("fill and record", |driver| driver.fill(0).map(drop)),
    ("fill, another stream waits for it", |driver| {
        let filled = driver.fill(1)?;
        driver.wait(filled)
    }),
    ("fill and query", |driver| {
        let filled = driver.fill(0)?;
        driver.query(filled).map(drop)
    }),
];

/// The rival of a case on a device of Vulkan.
pub(super) fn of(case: &str, device: &Device) -> Option<Rival> {
    let handles = syncpoint::vulkan::handles(device).ok()?;
    let (_, operation) = CASES.into_iter().find(|(name, _)| *name == case)?;
    let prepare = move || Driver::new(&handles).map(|driver| turns(driver, operation));
    Some((CALLS, Box::new(prepare)))
}

fn turns(driver: Driver, operation: fn(&Driver) -> Result<(), Trouble>) -> Sampler {
    Box::new(move || {
        let measured = time_each(TURN, || operation(&driver));
        driver.drain()?;
        measured
    })
}

#[cfg(test)]
mod tests {
    use super::{super::super::select, *};

    #[test]
    fn every_case_by_hand_is_a_case() {
        let names: Vec<_> = select("fill").unwrap().iter().map(|case| case.name()).collect();
        assert_eq!(CASES.map(|(name, _)| name).as_slice(), names);
    }
}
