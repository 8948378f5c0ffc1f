//! A device that is shut down: what had not begun fails, and nothing begins again.

use std::time::Duration;

use syncpoint::{Gate, Kind};

#[test]
fn a_stream_of_a_device_that_was_shut_down_begins_no_new_era() {
    let device = syncpoint_host::open("host:shutdown");
    let (parked, idle, gate) = (device.stream().unwrap(), device.stream().unwrap(), Gate::new());
    parked.wait(&gate.point()).unwrap();
    parked.enqueue(|| ()).unwrap();
    let never = parked.record().unwrap();
    device.shutdown(Duration::from_secs(60)).unwrap();
    assert_eq!(never.synchronize().unwrap_err().kind(), Kind::Failed);
    for stream in [&parked, &idle] {
        assert!(stream.recover().unwrap().is_none(), "a shutdown has no recovery");
        let error = stream.enqueue(|| ()).unwrap_err();
        assert_eq!(error.kind(), Kind::Failed);
        assert!(error.message().contains("shut down"), "{error}");
    }
    gate.open().unwrap();
}
