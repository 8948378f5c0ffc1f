//! The graph on tasks of tokio: a task a stream, fed by a channel of steps.
//!
//! A step is a boxed function with what it waits for. A record is what its step sets once it has run. Two ways of that
//! are run, and the table has the quicker: an `Arc<SetOnce>` a record, which is tokio's own one-shot event, and a count
//! of the steps a task has run beside a `Notify`, which allocates nothing a record but wakes whoever waits for a later
//! one, too. A `watch` a task is the second behind a lock more; a `oneshot` an edge cannot be made, because a later step
//! may wait for a record whose step was sent long before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::{Notify, SetOnce};
use tokio::task::JoinHandle;

use crate::figures::{Begin, Figures, Weight};
use crate::graph::{Counter, Graph, assert_ran, counters};

/// A runtime with a worker a core, which is tokio's own choice.
pub(crate) fn runtime() -> Runtime {
    Builder::new_multi_thread().build().expect("a runtime")
}

/// A way to record: what a step sets, and what another waits for.
pub(crate) trait Record: Clone + Send + Sync + 'static {
    /// What a task keeps to make its records of.
    type Line: Default;

    fn next(line: &mut Self::Line) -> Self;
    fn set(&self);
    fn wait(&self) -> impl Future<Output = ()> + Send;
}

/// A one-shot event a record.
#[derive(Clone)]
pub(crate) struct Once(Arc<SetOnce<()>>);

impl Record for Once {
    type Line = ();

    fn next((): &mut ()) -> Self {
        Self(Arc::default())
    }

    fn set(&self) {
        self.0.set(()).expect("a step runs once");
    }

    async fn wait(&self) {
        self.0.wait().await;
    }
}

/// A place on the line of a task.
#[derive(Clone)]
pub(crate) struct Counted {
    line: Arc<Line>,
    value: u64,
}

#[derive(Default)]
pub(crate) struct Line {
    completed: AtomicU64,
    changed: Notify,
}

impl Record for Counted {
    type Line = (Arc<Line>, u64);

    fn next((line, latest): &mut Self::Line) -> Self {
        *latest += 1;
        Self { line: Arc::clone(line), value: *latest }
    }

    fn set(&self) {
        // Release: pairs with the acquire in `wait`.
        self.line.completed.store(self.value, Ordering::Release);
        self.line.changed.notify_waiters();
    }

    async fn wait(&self) {
        let is_due = || self.line.completed.load(Ordering::Acquire) >= self.value;
        while !is_due() {
            // A `Notified` hears every `notify_waiters` after it was made; so it is made before the last look.
            let changed = self.line.changed.notified();
            if is_due() {
                break;
            }
            changed.await;
        }
    }
}

struct Step<R> {
    waits: [Option<R>; 2],
    work: Box<dyn FnOnce() + Send>,
    record: R,
}

/// Sent while the tasks wait for a gate, then run.
pub(crate) fn measure<R: Record>(graph: &Graph) -> Figures {
    let (mut figures, counters) = (Figures::default(), counters(graph.streams));
    let (runtime, weight) = (runtime(), Weight::begin());

    let begin = Begin::now();
    let gate = Arc::new(SetOnce::new());
    let made = (0..graph.streams).map(|_| spawn::<R>(&runtime, &gate));
    let (senders, tasks): (Vec<_>, Vec<_>) = made.unzip();
    figures.time("make", &begin);

    let begin = Begin::now();
    let latest = build(graph, senders, counters);
    figures.time("build", &begin);
    weight.note_built(&mut figures);

    let begin = Begin::now();
    gate.set(()).expect("once");
    join(&runtime, tasks);
    figures.time("run", &begin);
    assert_ran(graph, counters);

    let begin = Begin::now();
    drop((latest, gate));
    figures.time("drop", &begin);
    weight.note_end(&mut figures);
    figures
}

/// Run while it is sent.
pub(crate) fn measure_fed<R: Record>(graph: &Graph) -> Figures {
    let (mut figures, counters) = (Figures::default(), counters(graph.streams));
    let (runtime, open) = (runtime(), Arc::new(SetOnce::new_with(Some(()))));
    let made = (0..graph.streams).map(|_| spawn::<R>(&runtime, &open));
    let (senders, tasks): (Vec<_>, Vec<_>) = made.unzip();

    let begin = Begin::now();
    let latest = build(graph, senders, counters);
    join(&runtime, tasks);
    figures.time("run", &begin);
    assert_ran(graph, counters);
    drop(latest);
    figures
}

fn join(runtime: &Runtime, tasks: Vec<JoinHandle<()>>) {
    runtime.block_on(async {
        for task in tasks {
            task.await.expect("no step fails");
        }
    });
}

type Spawned<R> = (UnboundedSender<Step<R>>, JoinHandle<()>);

fn spawn<R: Record>(runtime: &Runtime, gate: &Arc<SetOnce<()>>) -> Spawned<R> {
    let (sender, steps) = mpsc::unbounded_channel();
    (sender, runtime.spawn(run_steps(Arc::clone(gate), steps)))
}

async fn run_steps<R: Record>(gate: Arc<SetOnce<()>>, mut steps: UnboundedReceiver<Step<R>>) {
    gate.wait().await;
    while let Some(step) = steps.recv().await {
        for record in step.waits.into_iter().flatten() {
            record.wait().await;
        }
        (step.work)();
        step.record.set();
    }
}

/// Sends the steps, and lets go of the channels: a task ends behind its last step.
fn build<R: Record>(
    graph: &Graph,
    senders: Vec<UnboundedSender<Step<R>>>,
    counters: &'static [Counter],
) -> Vec<Option<R>> {
    let mut lines: Vec<R::Line> = (0..graph.streams).map(|_| R::Line::default()).collect();
    let mut latest: Vec<Option<R>> = vec![None; graph.streams];
    for step in &graph.steps {
        let mut others = step.waits().map(|other| latest[other].clone());
        let waits = [others.next().flatten(), others.next().flatten()];
        let (counter, record) = (&counters[step.stream], R::next(&mut lines[step.stream]));
        latest[step.stream] = Some(record.clone());
        let step_sent = Step { waits, work: Box::new(|| counter.count()), record };
        assert!(senders[step.stream].send(step_sent).is_ok(), "the task waits for steps");
    }
    drop(senders);
    latest
}
