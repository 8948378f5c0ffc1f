//! The acts: each does one thing with what an actor has, at random.

use std::hint;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use syncpoint::trace::Record;
use syncpoint::{
    Device, Error, Event, EventOptions, Gate, Point, Result, Stream, Wait, observe, retire,
    wait_all_timeout, wait_any_timeout, with_stream,
};

use crate::actor::{Actor, Outcome};
use crate::belongings::Held;
use crate::lives;
#[cfg(unix)]
use crate::others;

pub(crate) type Act = fn(&mut Actor) -> Outcome;

/// What work, callbacks and observers say when they panic.
pub(crate) const ON_PURPOSE: &str = "on purpose";

/// A host wait is at most so long: most of what it waits for is behind a gate that only this thread opens.
const PATIENCE: Duration = Duration::from_millis(2);

/// All acts; one that stands here more than once is drawn more often.
pub(crate) const ACTS: &[(&str, Act)] = &[
    ("make a stream", make_stream),
    ("borrow a stream", borrow_stream),
    ("drop a stream", drop_stream),
    ("enqueue", enqueue),
    ("enqueue", enqueue),
    ("enqueue", enqueue),
    ("enqueue much", enqueue_much),
    ("fail", fail),
    ("panic", panic),
    ("block", block),
    ("submit", submit),
    ("delay", delay),
    ("record", record),
    ("record", record),
    ("record", record),
    ("record the time", record_timed),
    ("wait", wait),
    ("wait", wait),
    ("wait", wait),
    ("wait for another's", wait_for_anothers),
    ("wait for another's", wait_for_anothers),
    ("fork and join", fork_and_join),
    ("hold", hold),
    ("end a gate", end_gate),
    ("end a gate", end_gate),
    ("recover", recover),
    ("recover", recover),
    ("synchronize", synchronize),
    ("trip", trip),
    ("wait for several", wait_for_several),
    ("make an event", make_event),
    ("use an event", use_event),
    ("tell the time", tell_time),
    ("notify", notify),
    ("await", begin_to_await),
    ("observe", begin_to_observe),
    ("retire", begin_to_retire),
    ("use memory", use_memory),
    ("live with a device", lives::act),
    #[cfg(unix)]
    ("live with another process", others::act),
];

impl Actor {
    fn device(&mut self) -> Device {
        let device = self.draw.one_of(&self.shared.devices);
        device.expect("there are devices").clone()
    }

    fn stream(&mut self) -> Option<Arc<Held>> {
        self.own.streams.any(&mut self.draw).cloned()
    }

    /// Does something with one of the streams, if there is one.
    fn with(&mut self, act: impl FnOnce(&mut Self, &Stream) -> Outcome) -> Outcome {
        self.stream().map_or(Ok(()), |held| act(self, held.stream()))
    }

    fn keep_point(&mut self, point: Point) {
        if self.draw.once_in(4) {
            self.shared.leave(point.clone(), &mut self.draw);
        }
        drop(self.own.points.keep(point, &mut self.draw));
    }

    pub(crate) fn keep_stream(&mut self, held: Held) {
        drop(self.own.streams.keep(Arc::new(held), &mut self.draw));
    }
}

fn make_stream(actor: &mut Actor) -> Outcome {
    let stream = actor.device().stream()?;
    actor.keep_stream(Held::Own(stream));
    Ok(())
}

fn borrow_stream(actor: &mut Actor) -> Outcome {
    let pool = actor.draw.one_of(&actor.shared.streams).expect("there are pools").clone();
    actor.keep_stream(Held::Lent(pool.stream(0)?));
    Ok(())
}

fn drop_stream(actor: &mut Actor) -> Outcome {
    drop(actor.own.streams.take(&mut actor.draw));
    Ok(())
}

fn enqueue(actor: &mut Actor) -> Outcome {
    let spins = actor.draw.below(2000);
    actor.with(|_, stream| stream.enqueue(move || (0..spins).for_each(|_| hint::spin_loop())))
}

fn enqueue_much(actor: &mut Actor) -> Outcome {
    let (count, kept) = (actor.draw.below(100), vec![0_u8; actor.draw.below(4096)]);
    let kept = Arc::new(kept);
    actor.with(|_, stream| {
        (0..count).try_for_each(|_| {
            let kept = Arc::clone(&kept);
            stream.enqueue(move || drop(kept))
        })
    })
}

fn fail(actor: &mut Actor) -> Outcome {
    actor.with(|_, stream| stream.enqueue(|| Err::<(), _>(ON_PURPOSE)))
}

fn panic(actor: &mut Actor) -> Outcome {
    actor.with(|_, stream| stream.enqueue(|| -> () { panic!("{ON_PURPOSE}") }))
}

/// Work that waits inside the library, for what may never come before it.
fn block(actor: &mut Actor) -> Outcome {
    let Some(point) = actor.shared.find(&mut actor.draw) else { return Ok(()) };
    actor.with(|_, stream| {
        stream.enqueue(move || drop(point.synchronize_timeout(Duration::from_millis(1))))
    })
}

fn submit(actor: &mut Actor) -> Outcome {
    let fails = actor.draw.once_in(16);
    actor.with(|_, stream| stream.submit(move |_| if fails { Err(ON_PURPOSE) } else { Ok(()) }))
}

fn delay(actor: &mut Actor) -> Outcome {
    let delay = Duration::from_micros(actor.draw.below(2000) as u64);
    actor.with(|_, stream| stream.delay(delay))
}

fn record(actor: &mut Actor) -> Outcome {
    actor.with(|actor, stream| {
        actor.keep_point(stream.record()?);
        Ok(())
    })
}

fn record_timed(actor: &mut Actor) -> Outcome {
    actor.with(|actor, stream| {
        drop(actor.own.timed.keep(stream.record_timed()?, &mut actor.draw));
        Ok(())
    })
}

fn wait(actor: &mut Actor) -> Outcome {
    let Some(point) = actor.own.points.any(&mut actor.draw).cloned() else { return Ok(()) };
    actor.with(|_, stream| stream.wait(&point))
}

fn wait_for_anothers(actor: &mut Actor) -> Outcome {
    let Some(point) = actor.shared.find(&mut actor.draw) else { return Ok(()) };
    actor.with(|_, stream| stream.wait(&point))
}

fn fork_and_join(actor: &mut Actor) -> Outcome {
    let others = [actor.stream(), actor.stream()];
    let others = || others.iter().flatten().map(|held| held.stream());
    actor.with(|_, stream| {
        let _current = with_stream(&Arc::new(stream.device().stream()?));
        stream.fork(others())?;
        stream.join(others())
    })
}

/// A gate holds a stream until the gate goes; a gate that has to go is dropped unopened, which fails the stream.
fn hold(actor: &mut Actor) -> Outcome {
    let gate = Gate::named("hold");
    let held = actor.with(|actor, stream| {
        actor.shared.leave(gate.point(), &mut actor.draw);
        stream.wait(&gate.point())
    });
    let gone = actor.own.gates.keep(gate, &mut actor.draw);
    if let Some(gone) = gone.filter(|_| !actor.draw.once_in(8)) {
        // It may be promised to a stream.
        gone.open().ok();
    }
    held
}

fn end_gate(actor: &mut Actor) -> Outcome {
    let Some(gate) = actor.own.gates.take(&mut actor.draw) else { return Ok(()) };
    match actor.draw.below(8) {
        0 => gate.fail(Error::failed(ON_PURPOSE)),
        1 => Ok(()),
        2 | 3 => actor.with(|_, stream| stream.open(&gate)),
        _ => gate.open(),
    }
}

fn recover(actor: &mut Actor) -> Outcome {
    let failed = actor.own.streams.all().iter().find(|held| held.stream().failure().is_some());
    failed.map_or(Ok(()), |held| held.stream().recover().map(drop))
}

fn synchronize(actor: &mut Actor) -> Outcome {
    let Some(point) = actor.own.points.any(&mut actor.draw).cloned() else { return Ok(()) };
    match actor.draw.below(6) {
        0 => point.synchronize_deadline(Instant::now() + PATIENCE),
        1 => point.synchronize_with(Wait::Block, Some(PATIENCE)),
        2 => point.synchronize_with(Wait::Yield, Some(PATIENCE)),
        3 => point.query().map(drop),
        4 => actor.device().synchronize_timeout(PATIENCE),
        _ => match point.synchronize_timeout(PATIENCE) {
            Err(error) if error.report().is_some() => Err(told(error)),
            outcome => outcome,
        },
    }
}

/// Has the words of an error made.
fn told(error: Error) -> Error {
    assert!(!error.to_string().is_empty() && !format!("{error:?}").is_empty());
    error
}

/// A stream that nothing holds: this thread may help, and waits without a deadline.
fn trip(actor: &mut Actor) -> Outcome {
    let stream = actor.device().stream()?;
    for _ in 0..actor.draw.below(50) {
        stream.enqueue(|| ())?;
    }
    stream.record()?.synchronize()?;
    assert_eq!(stream.statistics().queued, 0, "what was enqueued is complete");
    stream.synchronize()
}

fn wait_for_several(actor: &mut Actor) -> Outcome {
    let some = [(); 4].map(|()| actor.own.points.any(&mut actor.draw).cloned());
    let points: Vec<Point> = some.into_iter().flatten().collect();
    if actor.draw.once_in(2) {
        wait_all_timeout(&points, PATIENCE)
    } else {
        wait_any_timeout(&points, PATIENCE).map(drop)
    }
}

fn make_event(actor: &mut Actor) -> Outcome {
    let device = actor.device();
    let options = match actor.draw.below(3) {
        0 => EventOptions::new(),
        1 => EventOptions::timed(),
        _ => EventOptions::builder().interprocess().build()?,
    };
    if actor.draw.once_in(2) {
        let lent = actor.shared.events.event(&device, options)?;
        drop(actor.own.lent_events.keep(lent, &mut actor.draw));
    } else {
        drop(actor.own.events.keep(device.event_with(options)?, &mut actor.draw));
    }
    Ok(())
}

fn use_event(actor: &mut Actor) -> Outcome {
    let how = actor.draw.below(8);
    let Some(held) = actor.stream() else { return Ok(()) };
    let (stream, draw) = (held.stream(), &mut actor.draw);
    let lent = actor.own.lent_events.any(draw).map(|lent| &**lent);
    let own = actor.own.events.any(draw);
    let Some(event) = lent.filter(|_| how.is_multiple_of(2)).or(own) else { return Ok(()) };
    match how {
        0..=2 => event.record(stream),
        3 => event.record_once(stream),
        4 => stream.wait_event(event),
        5 => event.query().map(drop),
        6 => event.synchronize_timeout(PATIENCE),
        _ if event.options().interprocess() => event.export().map(drop),
        _ => event.elapsed_since(event).map(drop),
    }
}

fn tell_time(actor: &mut Actor) -> Outcome {
    let draw = &mut actor.draw;
    let (Some(start), Some(end)) = (actor.own.timed.any(draw), actor.own.timed.any(draw)) else {
        return Ok(());
    };
    start.timestamp()?;
    end.signed_elapsed_since(start)?;
    end.elapsed_since(start).map(drop)
}

fn notify(actor: &mut Actor) -> Outcome {
    let Some(point) = actor.own.points.any(&mut actor.draw).cloned() else { return Ok(()) };
    let panics = actor.draw.once_in(16);
    let notification = point.notify(move |outcome| {
        drop(outcome);
        assert!(!panics, "{ON_PURPOSE}");
    })?;
    let gone = actor.own.notifications.keep(notification, &mut actor.draw);
    if let Some(gone) = gone.filter(|_| actor.draw.once_in(2)) {
        gone.cancel();
    }
    Ok(())
}

/// Futures are polled once or more, and dropped in the middle.
fn begin_to_await(actor: &mut Actor) -> Outcome {
    let Some(point) = actor.own.points.any(&mut actor.draw) else { return Ok(()) };
    drop(actor.own.futures.keep(point.into_future(), &mut actor.draw));
    let Some(mut future) = actor.own.futures.take(&mut actor.draw) else { return Ok(()) };
    let waker = Waker::noop();
    let Poll::Ready(outcome) = Pin::new(&mut future).poll(&mut Context::from_waker(waker)) else {
        drop(actor.own.futures.keep(future, &mut actor.draw));
        return Ok(());
    };
    outcome
}

/// Observers come and go; most of the time there is none.
fn begin_to_observe(actor: &mut Actor) -> Outcome {
    if let Some(watch) = actor.own.watches.take(&mut actor.draw) {
        return if actor.draw.once_in(2) { watch.end(PATIENCE) } else { Ok(()) };
    }
    if actor.draw.once_in(2) {
        return Ok(());
    }
    let panics = actor.draw.once_in(64);
    let watch = observe(move |record: &Record| {
        hint::black_box(record);
        assert!(!panics, "{ON_PURPOSE}");
    });
    drop(actor.own.watches.keep(watch, &mut actor.draw));
    Ok(())
}

fn begin_to_retire(actor: &mut Actor) -> Outcome {
    let some = [(); 3].map(|()| actor.own.points.any(&mut actor.draw).cloned());
    let retirement = retire(vec![0_u8; 1024], some.into_iter().flatten())?;
    drop(retirement.holders());
    drop(actor.own.retirements.keep(retirement, &mut actor.draw));
    Ok(())
}

fn use_memory(actor: &mut Actor) -> Outcome {
    const BYTES: u64 = 4096;
    let how = actor.draw.below(5);
    if how == 0 {
        let buffer = actor.device().buffer(BYTES)?;
        drop(actor.own.buffers.keep(buffer, &mut actor.draw));
        return Ok(());
    }
    let draw = &mut actor.draw;
    let (from, to) = (actor.own.buffers.any(draw).cloned(), actor.own.buffers.any(draw).cloned());
    let (Some(from), Some(to)) = (from, to) else { return Ok(()) };
    actor.with(|_, stream| match how {
        1 => stream.fill(&to, 0..BYTES, 7),
        2 => stream.copy(&from, 0..BYTES / 2, &to, BYTES / 2..BYTES),
        3 => from.to_vec(0..BYTES).map(drop),
        _ => to.write(8, &[1, 2, 3]),
    })
}

/// What is looked at while an event is another process's.
pub(crate) fn interprocess(device: &Device) -> Result<Event> {
    device.event_with(EventOptions::builder().interprocess().build()?)
}
