//! Nobody waits for ever: what others wait for runs or fails, whatever happens around it.

use std::sync::{Mutex, mpsc};
use std::time::Duration;

use syncpoint::trace::{Operation, Record};
use syncpoint::{Device, Gate, Kind, Reason, Result, Wait};

/// Longer than anything here takes; a wait that runs out is a wait for ever.
const LONG: Duration = Duration::from_secs(10);

/// Two streams become ready in one go while a single worker sleeps: it must not take both for its own.
#[test]
fn work_that_blocks_holds_up_no_stream_that_became_ready_with_it() {
    let device = syncpoint::open("host:0").unwrap();
    for _ in 0..20 {
        send_from_one_stream_to_another(&device).unwrap();
    }
}

/// The first work of one stream blocks until that of the other has sent.
fn send_from_one_stream_to_another(device: &Device) -> Result<()> {
    let (receives, sends) = (device.stream()?, device.stream()?);
    let (sender, receiver) = mpsc::channel();
    let gate = Gate::new();
    receives.wait(&gate.point())?;
    sends.wait(&gate.point())?;
    receives.enqueue(move || receiver.recv())?;
    sends.enqueue(move || sender.send(()))?;
    gate.open()?;
    receives.record()?.synchronize_with(Wait::NoHelp, Some(LONG))
}

/// The observer is called by a worker that holds a stream it has just set free.
#[test]
fn an_observer_that_synchronizes_strands_nobody() {
    let device = syncpoint::open("host:0").unwrap();
    let [opens, waits, other] = [(); 3].map(|()| device.stream().unwrap());
    let (start, gate) = (Gate::new(), Gate::new());
    opens.wait(&start.point()).unwrap();
    opens.open(&gate).unwrap();
    waits.wait(&gate.point()).unwrap();
    waits.enqueue(|| ()).unwrap();
    let done = waits.record().unwrap();

    let (gate, other) = (gate.id(), Mutex::new(Some(other)));
    let watch = syncpoint::observe(move |record: &Record| {
        let opened = matches!(record.operation, Operation::GateOpened { gate: id } if id == gate);
        if let Some(other) = other.lock().unwrap().take_if(|_| opened) {
            other.enqueue(|| ()).unwrap();
            other.synchronize().unwrap();
        }
    });
    start.open().unwrap();
    done.synchronize_with(Wait::NoHelp, Some(LONG)).unwrap();
    watch.end(LONG).unwrap();
}

#[test]
fn a_gate_that_is_promised_and_dropped_still_closes_a_cycle() {
    let device = syncpoint::open("host:0").unwrap();
    let (first, second) = (device.stream().unwrap(), device.stream().unwrap());
    let (one, other) = (Gate::new(), Gate::new());
    first.wait(&other.point()).unwrap();
    first.open(&one).unwrap();
    second.wait(&one.point()).unwrap();
    drop(one);
    let refused = second.open(&other).unwrap_err();
    assert_eq!(refused.kind(), Kind::Misuse(Reason::WouldDeadlock), "{refused}");
}
