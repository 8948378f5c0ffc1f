//! The pool of all devices that have a driver: it serves the streams of the hold queue.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use syncpoint_base::PerProcess;

use super::{Hand, Pool, Seat, Serve};
use crate::error::Result;
use crate::hold::Crew;
use crate::sync::{self, LocalKey};

/// A stream with something held that may go on: whoever pumps it gives to its driver, and runs, what can be.
pub trait Pump: Any + fmt::Debug + Send + Sync {
    /// Gives the stream its turn.
    fn pump(self: Arc<Self>);

    /// How urgent the stream is: below [`LEVELS`](super::LEVELS), the most urgent first.
    fn level(&self) -> usize;
}

/// The workers that serve the streams of every device with a driver. They run users' functions and nothing of a
/// driver's own.
pub fn devices() -> Arc<dyn Crew> {
    Arc::new(Devices)
}

#[derive(Debug)]
struct Devices;

impl Crew for Devices {
    fn ensure(&self) -> Result<()> {
        pool().ensure_worker()
    }

    fn rouse(&self, stream: Arc<dyn Pump>) {
        Hand::keep_or_submit(stream);
    }

    fn about_to_run(&self) {
        Hand::<dyn Pump>::publish();
    }
}

fn pool() -> &'static Arc<Pool<dyn Pump>> {
    static POOL: PerProcess<Arc<Pool<dyn Pump>>> = PerProcess::new(|| Pool::new(()));
    &POOL
}

sync::local! {
    static HAND: Hand<dyn Pump> = Hand::new();
}

impl Serve for dyn Pump {
    type Shared = ();

    const THREADS: &'static str = "syncpoint-work";

    fn pool(&self) -> &Arc<Pool<Self>> {
        pool()
    }

    fn level(&self) -> usize {
        Pump::level(self)
    }

    fn is_still_needed(&self) -> bool {
        true
    }

    fn serve(this: &Arc<Self>, _seat: &Seat<Self>) -> bool {
        Arc::clone(this).pump();
        true
    }

    fn hand() -> &'static LocalKey<Hand<Self>> {
        &HAND
    }
}
