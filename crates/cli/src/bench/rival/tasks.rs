//! Tasks of tokio on one thread, instead of streams.

use std::{cell::Cell, rc::Rc, sync::mpsc, thread, time::Instant};

use tokio::{
    runtime::{Builder, Runtime},
    sync::{
        Notify,
        mpsc::{UnboundedReceiver, unbounded_channel},
        oneshot,
    },
    task::{JoinHandle, LocalSet, spawn_local, yield_now},
};

use super::super::{
    case::{COUNT, HOPS, WIDTH, woken},
    sample::{Measured, Prepared, Trouble, each},
};

/// Runs tasks on this thread until `measure` is done.
fn run(runtime: &Runtime, measure: impl Future<Output = Measured>) -> Measured {
    LocalSet::new().block_on(runtime, measure)
}

fn runtime() -> Result<Runtime, Trouble> {
    Ok(Builder::new_current_thread().build()?)
}

async fn join(tasks: Vec<JoinHandle<()>>) -> Result<(), Trouble> {
    for task in tasks {
        task.await?;
    }
    Ok(())
}

/// A ring of tasks, each told by the one before.
pub(super) fn ring(width: usize) -> Prepared {
    let runtime = runtime()?;
    Ok(Box::new(move || {
        run(&runtime, async {
            let bells: Rc<[Notify]> = (0..width).map(|_| Notify::new()).collect();
            let tasks = (0..width).map(|own| spawn_local(pass_on(Rc::clone(&bells), own)));
            let tasks = tasks.collect();
            yield_now().await;
            let begin = Instant::now();
            bells[0].notify_one();
            join(tasks).await?;
            Ok(each(begin.elapsed(), HOPS))
        })
    }))
}

async fn pass_on(bells: Rc<[Notify]>, own: usize) {
    for _ in 0..HOPS as usize / bells.len() {
        bells[own].notified().await;
        bells[(own + 1) % bells.len()].notify_one();
    }
}

/// Many tasks that wait for one bell, and one that waits for all of them.
pub(super) fn out_and_in() -> Prepared {
    let runtime = runtime()?;
    Ok(Box::new(move || {
        run(&runtime, async {
            let between = Rc::new((Notify::new(), Cell::new(0)));
            let tasks = (0..WIDTH).map(|_| spawn_local(wait(Rc::clone(&between)))).collect();
            let (bell, waiting) = &*between;
            while waiting.get() < WIDTH {
                yield_now().await;
            }
            let begin = Instant::now();
            bell.notify_waiters();
            join(tasks).await?;
            Ok(each(begin.elapsed(), WIDTH))
        })
    }))
}

/// Waits for the bell, and is counted before.
async fn wait(between: Rc<(Notify, Cell<u32>)>) {
    let (bell, waiting) = &*between;
    waiting.set(waiting.get() + 1);
    bell.notified().await;
}

/// Tasks that receive functions, each made and ended before the next.
pub(super) fn make() -> Prepared {
    let runtime = runtime()?;
    Ok(Box::new(move || {
        run(&runtime, async {
            let begin = Instant::now();
            for _ in 0..COUNT {
                let (sender, receiver) = unbounded_channel();
                let task = spawn_local(run_all(receiver));
                drop(sender);
                task.await?;
            }
            Ok(each(begin.elapsed(), COUNT))
        })
    }))
}

async fn run_all(mut receiver: UnboundedReceiver<Box<dyn FnOnce()>>) {
    while let Some(job) = receiver.recv().await {
        job();
    }
}

/// From the sending of a message to the first moment of what awaits it on another thread.
pub(super) fn oneshot() -> Prepared {
    let (receivers, received) = mpsc::channel::<oneshot::Receiver<()>>();
    let (awake, heard) = mpsc::channel();
    let runtime = runtime()?;
    let await_all = move || {
        for receiver in received {
            // Every message is sent, and who sends it listens.
            runtime.block_on(receiver).ok();
            awake.send(Instant::now()).ok();
        }
    };
    thread::Builder::new().spawn(await_all)?;
    Ok(Box::new(move || {
        let (sender, receiver) = oneshot::channel();
        receivers.send(receiver)?;
        woken(&heard, || sender.send(()).map_err(|()| "nobody receives".into()))
    }))
}
