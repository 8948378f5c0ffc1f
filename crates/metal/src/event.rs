//! Events with a handle: a shared event that is signalled behind each record, for others to wait for.
//!
//! Each record signals a value larger than all before. Two queues must not signal one event out of order: where the
//! record before is of another stream and still pending, the event goes on with a new one, and whoever waits for the old
//! one keeps it.

mod latest;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use syncpoint_core::contract::{Item, NativeEvent, Placed, RawStream, Task};
use syncpoint_core::hold::HeldStream;
use syncpoint_core::{Error, Event, Place, Reason, Result};

use crate::calls::Calls;
use crate::code::no_room;
use crate::context::Context;
use crate::own::Own;
use crate::row::Row;
use crate::stream::MetalStream;
use latest::Latest;

/// The shared event of one event of ours.
pub(crate) struct MetalEvent<C: Calls> {
    latest: Latest<SharedEvent<C>>,
    context: Arc<Context<C>>,
}

/// A shared event of ours that others know too.
pub(crate) type SharedEvent<C> = Arc<Own<C, <C as Calls>::Event>>;

/// What a stream does when it comes to a record.
pub(crate) struct Act<C: Calls>(Arc<MetalEvent<C>>);

impl<C: Calls> MetalEvent<C> {
    /// An event, never recorded.
    ///
    /// # Errors
    /// `Exhausted`.
    pub(crate) fn owned(context: &Arc<Context<C>>) -> Result<Arc<dyn NativeEvent>> {
        let _inside = context.enter()?;
        let latest = Latest::new(make(context)?);
        Ok(Arc::new(Native(Arc::new(Self { latest, context: Arc::clone(context) }))))
    }

    /// What the record that `row`'s stream comes to now signals.
    fn next(&self, row: &Arc<Row>) -> Result<(SharedEvent<C>, u64)> {
        let _inside = self.context.enter()?;
        self.latest.next(row, || make(&self.context))
    }
}

fn make<C: Calls>(context: &Context<C>) -> Result<SharedEvent<C>> {
    let event = context.calls().event().map(|event| Arc::new(Own::new(event)));
    event.ok_or_else(|| no_room("a shared event", context.name()))
}

impl<C: Calls> Act<C> {
    /// Commits the signal of a record as `value`, in its place on a stream.
    ///
    /// # Errors
    /// `Exhausted`.
    pub(crate) fn carry_out(
        &self,
        stream: &Arc<HeldStream<MetalStream<C>>>,
        value: u64,
    ) -> Result<()> {
        let driver = stream.driver();
        let (event, to) = self.0.next(driver.row())?;
        // Before the commit: its handler may come at once.
        driver.owed().owe(value, &event, to);
        let given = MetalStream::give(stream, value, |calls, commands| {
            calls.signal(commands, &event, to);
            // Here: from now to the commit nothing fails, and behind that who finds the point complete may ask.
            self.0.latest.promise(&event, to);
            Ok(())
        });
        if given.is_err() {
            driver.owed().take_back();
            self.0.latest.take_back(to);
        }
        given
    }
}

/// What core has of it.
struct Native<C: Calls>(Arc<MetalEvent<C>>);

impl<C: Calls> NativeEvent for Native<C> {
    fn record_on(&self, stream: &Arc<dyn RawStream>, place: Place) -> Result<Placed> {
        let any: &dyn Any = stream.as_ref();
        if !any.is::<HeldStream<MetalStream<C>>>() {
            let message = "an event of Metal is recorded on a stream of Metal; use one";
            return Err(Error::misuse(Reason::WrongDevice, message));
        }
        let act = Act(Arc::clone(&self.0));
        stream.put(Item { task: Task::Native(Box::new(act)), place })
    }

    /// Streams wait for the points of the event, which tell of failures too.
    fn wait_on(&self, _stream: &Arc<dyn RawStream>, _place: Place) -> Result<Option<Placed>> {
        Ok(None)
    }
}

/// The shared event of an event, and the value that its latest record signals which was committed: what a managed stream
/// still holds is not among them.
///
/// # Errors
/// `Unsupported`: it has none. `Misuse(NotRecorded)`: it belongs to no device yet. `Misuse(WrongDevice)`: it is not of
/// Metal. `Exhausted`, where it is made by this call.
pub fn signal_of<C: Calls>(event: &Event) -> Result<(SharedEvent<C>, u64)> {
    let native = event.native()?;
    let native: &Native<C> = native.of_backend(event, "Metal")?;
    Ok(native.0.latest.committed())
}

impl<C: Calls> fmt::Debug for Native<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (event, value) = self.0.latest.committed();
        write!(formatter, "Native({event:?} to {value})")
    }
}
