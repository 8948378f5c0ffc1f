//! Elsewhere: events of other processes that streams of this driver wait for on their device, in one way or another.
//!
//! Everything but that wait is answered by the page that both processes share, which asks no driver: queries, host waits
//! and notifications, and waits of streams of other backends.

use std::fmt;
use std::sync::Arc;

use syncpoint_core::contract::{ForeignEvent, Import, Placed, RawStream};
use syncpoint_core::hold::HeldStream;
use syncpoint_core::{Device, EventState, Place, Point, Result};

use crate::share::held;
use crate::stream::CudaStream;

/// A way in which streams wait on the device.
pub(crate) trait OnDevice: Send + Sync + 'static {
    fn import(&self) -> &Arc<Import>;

    /// Has a stream wait for a generation, whose end the point tells. `None`: it is to wait for the point.
    ///
    /// # Errors
    /// As [`HeldStream::wait_by`].
    fn wait_on_device(
        self: &Arc<Self>,
        stream: &Arc<HeldStream<CudaStream>>,
        awaited: (u64, Point),
        place: Place,
    ) -> Result<Option<Placed>>;
}

/// An event of another process, and the way in which streams wait for it.
pub(crate) struct Elsewhere<W>(pub(crate) Arc<W>);

impl<W: OnDevice> ForeignEvent for Elsewhere<W> {
    fn device(&self) -> &Device {
        self.0.import().device()
    }

    fn state(&self) -> EventState {
        self.0.import().state()
    }

    fn awaited(self: Arc<Self>, place: Place) -> Result<Option<Point>> {
        Arc::clone(self.0.import()).awaited(place)
    }

    fn wait_on(
        self: Arc<Self>,
        stream: &Arc<dyn RawStream>,
        place: Place,
    ) -> Result<Option<Placed>> {
        let Some(stream) = held(stream) else { return Ok(None) };
        let Some(awaited) = self.0.import().pending(place)? else { return Ok(None) };
        self.0.wait_on_device(&stream, awaited, place)
    }

    fn whose(&self) -> &'static str {
        self.0.import().whose()
    }
}

impl<W: OnDevice> fmt::Debug for Elsewhere<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.import().fmt(formatter)
    }
}
