//! Devices that come and go: a host of the actor's own that is shut down, and worlds that are broken.

use std::time::Duration;

use syncpoint::sim::{Fault, Sim};
use syncpoint::{Device, Gate, Stream};

use crate::actor::{Actor, Outcome};

/// One life now and then: each brings threads and takes them away.
pub(crate) fn act(actor: &mut Actor) -> Outcome {
    let life = actor.draw.below(64);
    let world = Sim::builder().devices(2).seed(actor.draw.below(1 << 20) as u64);
    match life {
        0 => live_with_host(actor),
        1 => live_with_world(actor, &world.build(), &FAULTS[..HEARD]),
        2 => live_with_world(actor, &world.stepped().build(), &FAULTS),
        _ => Ok(()),
    }
}

fn live_with_host(actor: &mut Actor) -> Outcome {
    let device = syncpoint_host::open("host:own");
    let (streams, gate) = work(actor, &device)?;
    if actor.draw.once_in(2) {
        gate.open()?;
        streams.iter().try_for_each(Stream::synchronize)?;
    }
    device.shutdown(Duration::from_millis(20))
}

/// Streams with work on each, one of which waits for a gate and the other for the first.
fn work(actor: &mut Actor, device: &Device) -> syncpoint::Result<(Vec<Stream>, Gate)> {
    let (streams, gate) = (vec![device.stream()?, device.stream()?], Gate::new());
    streams[0].wait(&gate.point())?;
    for _ in 0..actor.draw.below(8) {
        streams[0].enqueue(|| ())?;
        streams[1].delay(Duration::from_micros(3))?;
        streams[1].enqueue(|| ())?;
    }
    streams[1].wait_stream(&streams[0])?;
    let notified = streams[1].record()?.notify(drop)?;
    drop(notified);
    Ok((streams, gate))
}

const FAULTS: [Fault; 5] = [
    Fault::Fail,
    Fault::Refuse,
    Fault::Lose,
    Fault::SlowSignal(Duration::from_millis(1)),
    Fault::NoSignal,
];

/// The faults of which the host hears. An automatic world with an end of which it never hears keeps the stream, and with
/// it the world and its thread, for as long as the process lives: work on its way is never given up.
const HEARD: usize = 4;

/// A world with a fault, which is left as it is in the middle or moved on to its end.
fn live_with_world(actor: &mut Actor, sim: &Sim, faults: &[Fault]) -> Outcome {
    let fault = *actor.draw.one_of(faults).expect("there are faults");
    let operation = sim.operations(0)? + 1 + actor.draw.below(8) as u64;
    sim.plan(0, operation, fault)?;
    let (streams, gate) = work(actor, &sim.device(0)?)?;
    let other = sim.device(1)?.stream()?;
    other.wait_stream(&streams[1])?;
    if actor.draw.once_in(2) {
        gate.open()?;
    }
    if actor.draw.once_in(2) {
        sim.run_until_idle();
    }
    other.synchronize_timeout(Duration::from_millis(2))
}
