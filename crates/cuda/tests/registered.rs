//! Memory that the host writes for a device, as somebody else resets that: alone in its process, since all of it is reset.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod fake;

use syncpoint::{Gate, Kind, Result};
use syncpoint_conformance::patience::{PATIENCE, refused};

use fake::Fake;

/// Who writes to freed memory is seen by a sanitizer alone; so it is looked whether the driver gives any that we write to.
#[test]
fn what_the_host_writes_for_a_device_is_not_freed_by_its_reset() -> Result<()> {
    let fake = Fake::used();
    let device = syncpoint::cuda::builder().device_gates(PATIENCE).open(0)?;
    let (stream, gate, buffer) = (device.stream()?, Gate::new(), device.buffer(8)?);
    buffer.write(0, &[1; 8])?;
    syncpoint::cuda::expose(&stream)?;
    stream.wait(&gate.point())?;
    fake.reset_device(0);
    gate.open()?;
    refused(stream.record(), Kind::DeviceLost);
    refused(buffer.write(0, &[1; 8]), Kind::DeviceLost);
    for function in ["cuMemHostAlloc", "cuMemAllocHost_v2"] {
        assert_eq!(fake.count(function), 0, "{function} gives memory that is the driver's to free");
    }
    Ok(())
}
