//! The workers that run host work of device streams: as many as are needed.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use syncpoint::sim::Sim;
use syncpoint::{Gate, Result, Stream};

fn threads_named(name: &str) -> usize {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0 };
    let names = tasks.flatten().map(|task| std::fs::read_to_string(task.path().join("comm")));
    names.flatten().filter(|comm| comm.trim_end() == name).count()
}

fn streams(count: usize) -> Vec<Stream> {
    let device = Sim::builder().build().device(0).unwrap();
    (0..count).map(|_| device.stream().unwrap()).collect()
}

/// More work that blocks than any machine that tests this has cores.
const MANY: usize = 64;

#[test]
fn work_that_blocks_unseen_delays_no_other_stream_for_long() {
    let streams = streams(MANY + 1);
    let mut locks = Vec::new();
    for stream in &streams[..MANY] {
        let (let_go, wait) = channel::<()>();
        stream.enqueue(move || assert!(wait.recv().is_err())).unwrap();
        locks.push(let_go);
    }
    let begin = Instant::now();
    streams[MANY].enqueue(|| ()).unwrap();
    streams[MANY].synchronize_timeout(Duration::from_secs(20)).unwrap();
    println!("served after {:?} beside {MANY} that block", begin.elapsed());
    drop(locks);
    for stream in &streams {
        stream.synchronize().unwrap();
    }
}

#[test]
fn work_that_waits_inside_the_library_is_replaced_at_once() -> Result<()> {
    let streams = streams(MANY + 1);
    let gate = Gate::new();
    for stream in &streams[..MANY] {
        let point = gate.point();
        stream.enqueue(move || point.synchronize())?;
    }
    streams[MANY].enqueue(|| ())?;
    streams[MANY].synchronize_timeout(Duration::from_secs(20))?;
    gate.open()?;
    for stream in &streams {
        stream.synchronize()?;
    }
    Ok(())
}

#[test]
fn a_panic_in_host_work_leaves_the_workers_whole() {
    let streams = streams(8);
    for _ in 0..10 {
        for stream in &streams {
            stream.enqueue(|| -> () { std::panic::resume_unwind(Box::new("on purpose")) }).unwrap();
        }
        for stream in &streams {
            assert!(stream.synchronize().is_err());
            assert!(stream.recover().unwrap().is_some());
        }
    }
    assert!(streams.iter().all(|stream| stream.query().unwrap()));
}

#[test]
fn a_world_that_is_gone_takes_its_thread_with_it() {
    let world = || {
        let sim = Sim::builder().build();
        let stream = sim.device(0).unwrap().stream().unwrap();
        stream.delay(Duration::from_micros(1)).unwrap();
        stream.synchronize().unwrap();
    };
    for _ in 0..20 {
        world();
    }
    let until = Instant::now() + Duration::from_secs(20);
    while threads_named("syncpoint-sim") > 0 {
        assert!(Instant::now() < until, "the threads of worlds that are gone must end");
        thread::yield_now();
    }
}
