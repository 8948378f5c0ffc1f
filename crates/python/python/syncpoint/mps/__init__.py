"""`torch.mps`'s events and streams, without torch: `from syncpoint.mps import Event` runs code written for it.

They are of Metal, and tell in torch's words where there is none. `syncpoint.set_default_backend("host")`, or the environment
variable `SYNCPOINT_DEFAULT_BACKEND`, lets the same code run on the host, or on any other backend: so do the examples here.
What torch has by number in `torch._C` is here: `_mps_acquireEvent` and its like.

>>> import syncpoint
>>> syncpoint.set_default_backend("host")
>>> from syncpoint.mps import Event
>>> event = Event()
>>> event.record()
>>> syncpoint.mps.synchronize(timeout=10)
>>> event.query()
True
"""

from . import event
from ._table import (
    _mps_acquireEvent,
    _mps_deviceSynchronize,
    _mps_elapsedTimeOfEvents,
    _mps_emptyCache,
    _mps_getCurrentStream,
    _mps_queryEvent,
    _mps_recordEvent,
    _mps_releaseEvent,
    _mps_setStream,
    _mps_synchronizeEvent,
    _mps_waitForEvent,
)
from .event import Event
from .streams import Stream, current_stream, default_stream, device_count, set_stream, stream, synchronize

__all__ = [
    "Event",
    "Stream",
    "_mps_acquireEvent",
    "_mps_deviceSynchronize",
    "_mps_elapsedTimeOfEvents",
    "_mps_emptyCache",
    "_mps_getCurrentStream",
    "_mps_queryEvent",
    "_mps_recordEvent",
    "_mps_releaseEvent",
    "_mps_setStream",
    "_mps_synchronizeEvent",
    "_mps_waitForEvent",
    "current_stream",
    "default_stream",
    "device_count",
    "event",
    "set_stream",
    "stream",
    "synchronize",
]
