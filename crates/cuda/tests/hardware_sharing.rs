//! An event between two processes in each of its three ways, on the driver that `SYNCPOINT_CUDA_LIBRARY` names.
//!
//! `SYNCPOINT_CUDA_LIBRARY=libcuda.so.1 cargo test -p syncpoint-cuda --test hardware_sharing`. Where it names none they are
//! tried on the stand-in. The exporter's device stands before a latch, so that nothing here is ordered by time.

#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod fake;
mod sharing;

use syncpoint::{Device, Event, IpcHandle, Kind, Result};
use syncpoint_conformance::other::{Other, Part, play};
use syncpoint_conformance::patience::{PATIENCE, assert_held, failure_of, settle};

use fake::Fake;
use sharing::{open, recorded, records_behind_a_latch, waiting, with_gates};

/// The parts that the other process plays.
const PARTS: [(&str, Part); 1] = [("records behind a latch", records_on_the_driver)];

fn records_on_the_driver() -> Result<()> {
    Fake::or_the_drivers();
    records_behind_a_latch()
}

#[test]
fn the_other_process() {
    play(&PARTS);
}

/// A device of the driver, with gates.
fn gated() -> Result<Device> {
    Fake::or_the_drivers();
    with_gates(6 * PATIENCE)
}

/// A device of the driver, without.
fn plain() -> Result<Device> {
    Fake::or_the_drivers();
    syncpoint::cuda::open(0)
}

/// How a stream waits that imported an event so: the number of its waits on the device.
struct Way {
    device: fn() -> Result<Device>,
    import: fn(&Device, &IpcHandle) -> Result<Event>,
    on_the_device: u64,
}

const THROUGH_THE_HOST: Way = Way { device: plain, import: Device::import_event, on_the_device: 0 };

const FOR_A_WORD: Way = Way { device: gated, import: Device::import_event, on_the_device: 1 };

const FOR_THE_DRIVERS_EVENT: Way = Way { device: plain, import: open, on_the_device: 1 };

impl Way {
    /// The stream goes on behind the record and not before.
    fn orders(&self) -> Result<()> {
        let (device, (other, handle)) = ((self.device)()?, recorded());
        let event = (self.import)(&device, &handle)?;
        let (stream, end, waits) = waiting(&device, &event)?;
        assert_eq!(waits, self.on_the_device);
        assert!(!event.query()?);
        assert_held(&end);
        other.next();
        settle(&end);
        event.synchronize_timeout(PATIENCE)?;
        other.hear::<String>();
        let before = stream.statistics().driver_calls;
        stream.wait_event(&event)?;
        assert_eq!(stream.statistics().driver_calls, before, "what is complete costs no call");
        other.end();
        Ok(())
    }

    /// The exporter is killed before its record is complete.
    fn tells_of_a_dead_exporter(&self) -> Result<()> {
        let (device, (other, handle)) = ((self.device)()?, recorded());
        let event = (self.import)(&device, &handle)?;
        let (_stream, end, _) = waiting(&device, &event)?;
        assert_held(&end);
        Other::kill(other);
        for failure in [failure_of(&end), event.synchronize().expect_err("the exporter is dead")] {
            assert_eq!(failure.kind(), Kind::Failed, "{failure}");
        }
        Ok(())
    }
}

#[test]
fn a_stream_waits_through_the_host() -> Result<()> {
    THROUGH_THE_HOST.orders()
}

#[test]
fn a_stream_waits_for_a_word_that_the_other_device_writes() -> Result<()> {
    FOR_A_WORD.orders()
}

#[test]
fn a_stream_waits_for_the_drivers_event() -> Result<()> {
    FOR_THE_DRIVERS_EVENT.orders()
}

#[test]
fn through_the_host_a_dead_exporter_is_an_error() -> Result<()> {
    THROUGH_THE_HOST.tells_of_a_dead_exporter()
}

#[test]
fn for_a_word_a_dead_exporter_is_an_error() -> Result<()> {
    FOR_A_WORD.tells_of_a_dead_exporter()
}
