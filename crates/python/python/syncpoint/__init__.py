"""Streams, points and events for ordering and timing work on any device: the calls of PyTorch, on host, CUDA, Vulkan and
Metal, with deadlines that explain themselves.

>>> import syncpoint
>>> stream = syncpoint.Stream("host")
>>> start, end = (syncpoint.Event(enable_timing=True) for _ in range(2))
>>> start.record(stream); stream.delay(0.001); end.record(stream)
>>> end.synchronize(timeout=10)
>>> start.elapsed_time(end) >= 1
True
"""

from . import _ending, classes, cuda, mps
from . import _sharing as _sharing
from ._current import current_stream, default_stream, set_stream, stream
from ._devices import capabilities, default_backend, set_default_backend, synchronize
from ._errors import (
    DeviceLostError,
    DriverError,
    Error,
    ExhaustedError,
    FailedError,
    MisuseError,
    TimedOutError,
    UnavailableError,
    UnsupportedError,
)
from ._external import as_stream, external_stream, from_dlpack_stream
from ._native import (
    Buffer,
    Capabilities,
    Device,
    Event,
    EventPool,
    Gate,
    Notification,
    Point,
    SharedStreams,
    Span,
    Stream,
    devices,
    open,
    wait_all,
    wait_any,
)
from ._run import Run, run

__all__ = [
    "Buffer",
    "Capabilities",
    "Device",
    "DeviceLostError",
    "DriverError",
    "Error",
    "Event",
    "EventPool",
    "ExhaustedError",
    "FailedError",
    "Gate",
    "MisuseError",
    "Notification",
    "Point",
    "Run",
    "SharedStreams",
    "Span",
    "Stream",
    "TimedOutError",
    "UnavailableError",
    "UnsupportedError",
    "as_stream",
    "capabilities",
    "classes",
    "cuda",
    "current_stream",
    "default_backend",
    "default_stream",
    "devices",
    "mps",
    "external_stream",
    "from_dlpack_stream",
    "open",
    "run",
    "set_default_backend",
    "set_stream",
    "stream",
    "synchronize",
    "wait_all",
    "wait_any",
]

_ending._begin()
