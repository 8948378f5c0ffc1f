//! Costs: what calls take on this machine, alone and beside fifteen other threads.

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::answer::{Asked, Unasked};
use crate::driver::{Code, Driver, Event, Said, Stream, Word};
use crate::questions::{Question, goes_on_beside};
use crate::session::Session;

/// Calls that are timed together: a clock read costs as much as the cheapest call.
const BATCH: u32 = 64;
/// Batches, of which the median is told.
const BATCHES: usize = 201;
const THREADS: usize = 16;

pub(crate) const QUESTIONS: &[Question] = &[
    Question {
        name: "cost.query.come",
        asks: "what does cuEventQuery take of an event that has come?",
        ask: |driver| {
            let event = Session::begin(driver)?.come_event()?;
            cost(|| driver.event_query(&event))
        },
    },
    Question {
        name: "cost.query.pending",
        asks: "what does it take of a pending event?",
        ask: |driver| {
            let (event, _gate) = Session::begin(driver)?.pending_event()?;
            cost(|| driver.event_query(&event))
        },
    },
    Question {
        name: "cost.query.come.16_threads",
        asks: "what does it take beside 15 other threads that do the same?",
        ask: |driver| among_threads(driver, |(_, event)| driver.event_query(event)),
    },
    Question {
        name: "cost.record",
        asks: "what does cuEventRecord take of an event without times, on an idle stream?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (stream, event) = (session.stream()?, session.event()?);
            cost(|| driver.event_record(&event, &stream))
        },
    },
    Question {
        name: "cost.record.timed",
        asks: "what does it take of an event with times?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (stream, event) = (session.stream()?, session.timed_event()?);
            cost(|| driver.event_record(&event, &stream))
        },
    },
    Question {
        name: "cost.record.16_threads",
        asks: "what does it take beside 15 other threads, each with a stream of its own?",
        ask: |driver| among_threads(driver, |(stream, event)| driver.event_record(event, stream)),
    },
    Question {
        name: "cost.wait.come",
        asks: "what does cuStreamWaitEvent take of an event that has come?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (stream, event) = (session.stream()?, session.come_event()?);
            cost(|| driver.stream_wait(&stream, &event, 0))
        },
    },
    Question {
        name: "cost.create_and_destroy",
        asks: "what do cuEventCreate and cuEventDestroy take together?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            cost(|| driver.event_destroy(session.event()?))
        },
    },
    Question {
        name: "cost.round_trip",
        asks: "what do a record and cuEventSynchronize take together on an idle stream?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (stream, event) = (session.stream()?, session.event()?);
            cost(|| {
                session.record(&event, &stream)?;
                driver.event_synchronize(&event)
            })
        },
    },
    Question {
        name: "cost.round_trip.query",
        asks: "what do a record and cuEventQuery until it has come take together on an idle stream?",
        ask: |driver| {
            let session = Session::begin(driver)?;
            let (stream, event) = (session.stream()?, session.event()?);
            cost(|| {
                session.record(&event, &stream)?;
                until_come(|| driver.event_query(&event))
            })
        },
    },
    Question {
        name: "cost.round_trip.word",
        asks: "what do cuStreamWriteValue64 and looks of the host at the word until it is written?",
        ask: |driver| {
            let written = Written::new(driver)?;
            cost(|| {
                let (said, value) = written.write()?;
                // Acquire: pairs with the write of the stream.
                while written.word.host.load(Ordering::Acquire) < value {
                    std::hint::spin_loop();
                }
                Ok(said)
            })
        },
    },
    Question {
        name: "cost.write_value",
        asks: "what does cuStreamWriteValue64 take on an idle stream?",
        ask: |driver| {
            let written = Written::new(driver)?;
            cost(|| written.write().map(|(said, _)| said))
        },
    },
    Question {
        name: "cost.word.pending",
        asks: "what does a look at a word take that a stream which is held back is to write?",
        ask: |driver| {
            let written = Written::new(driver)?;
            let _gate = written.session.hold(&written.stream)?;
            let (said, _) = written.write()?;
            cost(|| {
                // Acquire: pairs with the write of the stream.
                black_box(written.word.host.load(Ordering::Acquire));
                Ok(said)
            })
        },
    },
    Question {
        name: "cost.context_current",
        asks: "what does cuCtxGetCurrent take?",
        ask: |driver| {
            let mut context = Session::begin(driver)?.context;
            cost(|| driver.context_current(&mut context))
        },
    },
    Question {
        name: "bound.standing_streams",
        asks: "beside how many streams that wait for a value does another still go on, of 64 at most?",
        ask: |driver| Ok(format!("{} streams", goes_on_beside(driver, 64, Session::is_held)?)),
    },
    Question {
        name: "bound.clock_drift",
        asks: "how much does the device's clock gain on the host's in five seconds, and how far may that be off?",
        ask: drift,
    },
    Question {
        name: "step.elapsed",
        asks: "what is the smallest time above 0 between two of 400 records in a row?",
        ask: step,
    },
];

/// A word that a stream writes ever higher values to, as it would tell a host how far it is.
struct Written {
    session: Session,
    stream: Stream,
    word: Word,
    last: AtomicU64,
}

impl Written {
    fn new(driver: &'static Driver) -> Asked<Self> {
        let session = Session::begin(driver)?;
        let (stream, word) = (session.stream()?, driver.word()?);
        Ok(Self { session, stream, word, last: AtomicU64::new(0) })
    }

    /// Gives the stream the next value to write.
    fn write(&self) -> Asked<(Said, u64)> {
        // Relaxed: one thread counts.
        let value = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let said = self.session.driver.write_value_64(&self.stream, self.word.device, value, 0)?;
        said.needed()?;
        Ok((said, value))
    }
}

/// Asks until the answer is another than that something is not ready.
fn until_come(mut query: impl FnMut() -> Asked<Said>) -> Asked<Said> {
    loop {
        let said = query()?;
        if said.code != Code::NOT_READY {
            return Ok(said);
        }
    }
}

/// The median of what one call takes.
fn cost(mut call: impl FnMut() -> Asked<Said>) -> Asked<String> {
    let mut batches = Vec::with_capacity(BATCHES);
    call()?;
    for _ in 0..BATCHES {
        let begun = Instant::now();
        for _ in 0..BATCH {
            black_box(call()?);
        }
        batches.push(begun.elapsed() / BATCH);
    }
    batches.sort_unstable();
    Ok(format!("{} ns", batches[BATCHES / 2].as_nanos()))
}

/// The median over the threads of what one call takes while all are at it.
fn among_threads(
    driver: &'static Driver,
    call: impl Fn(&(Stream, Event)) -> Asked<Said> + Sync,
) -> Asked<String> {
    let session = Session::begin(driver)?;
    let own = |_| Ok((session.stream()?, session.come_event()?));
    let objects = (0..THREADS).map(own).collect::<Asked<Vec<_>>>()?;
    let together = Barrier::new(THREADS);
    let one = |object| {
        driver.context_set(session.context)?.needed()?;
        together.wait();
        cost(|| call(object))
    };
    let died = |_| Err(Unasked::Refused("a thread died".to_owned()));
    let mut costs = thread::scope(|scope| {
        let threads: Vec<_> = objects.iter().map(|object| scope.spawn(|| one(object))).collect();
        let joined = threads.into_iter().map(|thread| thread.join().unwrap_or_else(died));
        joined.collect::<Asked<Vec<_>>>()
    })?;
    costs.sort_by_key(|cost| (cost.len(), cost.clone()));
    Ok(costs.swap_remove(THREADS / 2))
}

fn step(driver: &'static Driver) -> Asked<String> {
    let session = Session::begin(driver)?;
    let stream = session.stream()?;
    let mut events = Vec::new();
    for _ in 0..400 {
        let event = session.timed_event()?;
        session.record(&event, &stream)?;
        events.push(event);
    }
    session.drain(&stream)?;
    let mut least = f32::INFINITY;
    for pair in events.windows(2) {
        let mut time = 0.0;
        driver.elapsed(&mut time, &pair[0], &pair[1])?.needed()?;
        least = if time > 0.0 { least.min(time) } else { least };
    }
    Ok(format!("{:.3} µs", least * 1000.0))
}

/// An event with its time, and between which moments of the host it came.
fn seen(session: Session, stream: &Stream) -> Asked<(Event, Instant, Duration)> {
    let event = session.timed_event()?;
    let before = Instant::now();
    session.record(&event, stream)?;
    session.settle(&event)?;
    let half = before.elapsed() / 2;
    Ok((event, before + half, half))
}

fn drift(driver: &'static Driver) -> Asked<String> {
    const LONG: Duration = Duration::from_secs(5);
    let session = Session::begin(driver)?;
    let stream = session.stream()?;
    let (start, first, early) = seen(session, &stream)?;
    while first.elapsed() < LONG {
        thread::park_timeout(LONG);
    }
    let (end, last, late) = seen(session, &stream)?;
    let mut milliseconds = 0.0;
    driver.elapsed(&mut milliseconds, &start, &end)?.needed()?;
    let host = last.saturating_duration_since(first).as_secs_f64();
    let millionths = |seconds: f64| seconds / host * 1e6;
    let gain = millionths(f64::from(milliseconds) / 1e3 - host);
    let off = millionths((early + late).as_secs_f64());
    Ok(format!("{gain:.1} ppm, within {off:.1}"))
}
