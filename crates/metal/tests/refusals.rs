//! Each call that Metal may refuse is refused at each time: who asked is told, nothing else is lost, nothing is left over.

#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod double;

use std::time::Duration;

use syncpoint::{Buffer, Error, Event, EventOptions, Gate, Kind, Result, Stream};
use syncpoint_conformance::patience::until;
use syncpoint_metal::protocol::{Limits, borrow, open_over, signal_of};

use double::{Call, Double, Queue, block};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

/// What was refused so far.
#[derive(Default)]
struct Refused(Vec<Error>);

impl Refused {
    /// What a call gives, which is made once more where it was refused. `None`: its stream has failed of that.
    #[track_caller]
    fn insist<T>(&mut self, call: impl Fn() -> Result<T>) -> Option<T> {
        let error = match call() {
            Ok(given) => return Some(given),
            Err(error) => error,
        };
        let again = call();
        let is_same = again.as_ref().map_or_else(|again| again.is_same(&error), |_given| true);
        assert!(is_same, "one call is refused, and the next is as good as ever: {error}");
        self.note(error);
        again.ok()
    }

    /// The same of an object.
    #[track_caller]
    fn made<T>(&mut self, make: impl Fn() -> Result<T>) -> T {
        self.insist(make).expect("the next call is as good as ever")
    }

    fn note(&mut self, error: Error) {
        if !self.0.iter().any(|other| other.is_same(&error)) {
            self.0.push(error);
        }
    }
}

/// Streams of every mode, buffers, and events with handles.
struct Objects {
    plain: Stream,
    other: Stream,
    held: Stream,
    exposed: Stream,
    borrowed: Stream,
    source: Buffer,
    target: Buffer,
    events: [Event; 2],
}

impl Objects {
    fn new(double: &Double, refused: &mut Refused) -> Result<Self> {
        let (device, queue) = (double.device(), Queue::ordinary());
        let [plain, other, held, exposed] = [(); 4].map(|()| refused.made(|| device.stream()));
        Queue::of(&exposed)?;
        let borrowed = refused.made(|| borrow::<Double>(&device, queue.clone(), 32));
        let [source, target] = [(); 2].map(|()| refused.made(|| device.buffer(64)));
        let with_handle = EventOptions::builder().native_handle().build()?;
        let events = [(); 2].map(|()| Event::new(with_handle));
        Ok(Self { plain, other, held, exposed, borrowed, source, target, events })
    }

    fn streams(&self) -> [&Stream; 5] {
        [&self.plain, &self.other, &self.held, &self.exposed, &self.borrowed]
    }

    /// One of every operation, in every way that it comes to Metal: at once, and from where the host holds it.
    fn work(&self, byte: u8, refused: &mut Refused) -> Result<()> {
        let gate = Gate::new();
        self.work_at_once(byte, refused);
        self.work_behind(&gate, byte, refused);
        gate.open()
    }

    fn work_at_once(&self, byte: u8, refused: &mut Refused) {
        let Self { plain, other, source, target, events, .. } = self;
        refused.insist(|| plain.fill(source, 0..8, byte));
        refused.insist(|| plain.fill(source, 9..11, byte));
        refused.insist(|| plain.copy(source, 0..8, target, 0..8));
        refused.insist(|| plain.copy(source, 9..11, target, 9..11));
        refused.insist(|| plain.record_timed());
        let end = refused.insist(|| block(plain));
        refused.insist(|| events[0].record(plain));
        // The signal of the one before is pending: this takes another shared event.
        refused.insist(|| events[0].record(other));
        if let Some(filled) = refused.insist(|| plain.record()) {
            refused.insist(|| other.wait(&filled));
        }
        refused.insist(|| other.fill(target, 16..20, byte));
        drop(end);
    }

    fn work_behind(&self, gate: &Gate, byte: u8, refused: &mut Refused) {
        let Self { held, exposed, borrowed, target, events, .. } = self;
        refused.insist(|| exposed.wait(&gate.point()));
        refused.insist(|| exposed.enqueue(|| {}));
        refused.insist(|| exposed.fill(target, 24..28, byte));
        refused.insist(|| exposed.delay(Duration::ZERO));
        if let Some(end) = refused.insist(|| exposed.record_timed()) {
            refused.insist(|| borrowed.wait(&end));
        }
        refused.insist(|| borrowed.fill(target, 32..36, byte));
        refused.insist(|| held.wait(&gate.point()));
        refused.insist(|| held.fill(target, 41..43, byte));
        refused.insist(|| held.record_timed());
        refused.insist(|| events[1].record(held));
    }

    /// Waits for all of it. False: a stream has failed, of which everything else was told.
    fn settle(&self, refused: &mut Refused) -> Result<bool> {
        let mut is_whole = true;
        for stream in self.streams() {
            let point = refused.insist(|| stream.record());
            let Some(Err(error)) = point.map(|point| point.synchronize_timeout(LONG)) else {
                continue;
            };
            assert_ne!(error.kind(), Kind::TimedOut, "{stream}: {error}");
            refused.note(error);
        }
        for stream in self.streams() {
            if let Some(error) = stream.recover()? {
                is_whole = false;
                refused.note(error);
            }
        }
        Ok(is_whole)
    }

    fn assert_holds(&self, byte: u8) -> Result<()> {
        let cells = [0..8, 9..11, 16..20, 24..28, 32..36, 41..43];
        for cell in cells {
            let read = self.target.to_vec(cell.clone())?;
            assert!(read.iter().all(|is| *is == byte), "{read:?} at {cell:?}, not {byte}");
        }
        for event in &self.events {
            let (shared, promised) = signal_of::<Double>(event)?;
            until("a promised signal", || shared.value() == promised);
        }
        Ok(())
    }
}

/// Does everything while one call is refused, and then once more.
fn refuse(call: Call, index: u64) -> Result<()> {
    let (double, mut refused) = (Double::default(), Refused::default());
    double.refuse_of(call, index..index + 1);
    let objects = Objects::new(&double, &mut refused)?;
    objects.work(1, &mut refused)?;
    if objects.settle(&mut refused)? {
        objects.assert_holds(1)?;
    }
    assert_eq!(double.refused(), 1, "{call:?} {index} was not called");
    assert_told(call, index, &refused.0);
    let mut none = Refused::default();
    objects.work(2, &mut none)?;
    assert!(objects.settle(&mut none)? && none.0.is_empty(), "{call:?} {index}: {:?}", none.0);
    objects.assert_holds(2)?;
    assert_eq!(double.ended_outside_pools(), 0, "{call:?} {index}: let go of outside a pool");
    drop(objects);
    until("the end of all objects", || double.alive() == 0);
    Ok(())
}

/// A kernel that is refused with a buffer is asked for again by who needs it.
fn assert_told(call: Call, index: u64, refused: &[Error]) {
    let kinds: Vec<_> = refused.iter().map(Error::kind).collect();
    let expected: &[Kind] = if call == Call::Pipeline { &[] } else { &[Kind::Exhausted] };
    assert_eq!(kinds, expected, "{call:?} {index}: {refused:?}");
}

#[test]
fn a_device_without_shared_events_is_told_as_it_is_opened() -> Result<()> {
    let double = Double::default();
    double.refuse_of(Call::Event, 0..1);
    let open = || open_over("metal:0", double.clone(), Limits::default());
    let error = open().map(drop).expect_err("it has none");
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.message().contains("sandbox"), "{error}");
    let device = open()?;
    assert_eq!(double.alive(), 0, "what was tried is let go of");
    device.stream()?.record()?.synchronize_timeout(LONG)
}

/// Metal calls the handler of a command buffer also as it is let go of uncommitted. The next operation takes its value.
#[test]
fn what_takes_the_value_of_a_refused_operation_is_not_complete_before_its_own_end() -> Result<()> {
    let double = Double::default();
    let (device, mut filled) = (double.device(), Vec::new());
    for byte in 1..20 {
        let (stream, buffer) = (device.stream()?, device.buffer(8)?);
        double.refuse_of(Call::Fill, 0..1);
        stream.fill(&buffer, 0..8, byte).expect_err("it is refused");
        let let_go = double.hold_up(0);
        stream.fill(&buffer, 0..8, byte)?;
        let point = stream.record()?;
        assert!(!point.query()?, "the device has not begun it");
        drop(let_go);
        filled.push((point, buffer, byte));
    }
    for (point, buffer, byte) in filled {
        point.synchronize_timeout(LONG)?;
        assert_eq!(buffer.to_vec(0..8)?, [byte; 8]);
    }
    Ok(())
}

#[test]
fn each_call_that_is_refused_at_each_time_is_told_once_and_harms_nothing_else() -> Result<()> {
    let (double, mut none) = (Double::default(), Refused::default());
    let objects = Objects::new(&double, &mut none)?;
    objects.work(1, &mut none)?;
    assert!(objects.settle(&mut none)? && none.0.is_empty());
    objects.assert_holds(1)?;
    for call in Call::ALL {
        let calls = double.calls_of(call);
        assert!(calls > 0, "{call:?} is not tried");
        (0..calls).try_for_each(|index| refuse(call, index))?;
    }
    Ok(())
}
