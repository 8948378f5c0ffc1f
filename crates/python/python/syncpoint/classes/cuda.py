"""`torch.classes.cuda.Event` and `Stream`: what scripts of torch have, with every argument where its schema has one."""

from __future__ import annotations

from typing import TypeVar

from .. import _native
from .. import cuda as _cuda
from .._devices import DeviceLike

_T = TypeVar("_T")


class Stream:
    """A stream of a device, the current one where none is given; a smaller `priority` is more urgent.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> stream = syncpoint.classes.cuda.Stream()
    >>> event = stream.record_event(syncpoint.classes.cuda.Event())
    >>> stream.synchronize()
    >>> event.query(), stream.device_index()
    (True, 0)
    >>> syncpoint.set_default_backend(None)
    """

    def __init__(self, device: DeviceLike = None, priority: int = 0) -> None:
        self._stream = _cuda.Stream(device, priority)

    @property
    def device(self) -> _native.Device:
        """The device."""
        return self._stream.device

    def device_index(self) -> int:
        """The number of the device."""
        return self._stream.device_index

    def id(self) -> int:
        """Torch's number of the stream."""
        return self._stream.stream_id

    def query(self) -> bool:
        """Whether everything enqueued so far is complete."""
        return self._stream.query()

    def synchronize(self) -> None:
        """Waits on this thread until everything enqueued so far is complete."""
        self._stream.synchronize()

    def record_event(self, event: Event) -> Event:
        """Records an event here, and gives it."""
        _checked("record_event", event, Event).record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """What is enqueued from now on waits for the event's latest record."""
        _checked("wait_event", event, Event).wait(self)

    def wait_stream(self, stream: Stream) -> None:
        """What is enqueued from now on waits for all that `stream` was given so far."""
        self._stream.wait_stream(_checked("wait_stream", stream, Stream)._stream)

    def __reduce__(self) -> str:
        raise TypeError("cannot pickle 'Stream' object")


class Event:
    """An event; `interprocess` and `enable_timing` exclude each other.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> stream = syncpoint.classes.cuda.Stream()
    >>> event = syncpoint.classes.cuda.Event(enable_timing=True)
    >>> event.record(stream)
    >>> event.synchronize()
    >>> event.elapsed_time(event)
    0.0
    >>> syncpoint.set_default_backend(None)
    """

    def __init__(self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False) -> None:
        if interprocess and enable_timing:
            raise RuntimeError("Expected !enable_timing to be true, but got false.")
        self._event = _cuda.Event(enable_timing, blocking, interprocess)

    def record(self, stream: Stream) -> None:
        """Records the end of what the stream was given so far."""
        self._event.record(_checked("record", stream, Stream)._stream)

    def wait(self, stream: Stream) -> None:
        """What the stream is given from now on waits for the latest record; nothing where there is none."""
        self._event.wait(_checked("wait", stream, Stream)._stream)

    def query(self) -> bool:
        """Whether its latest record is complete; true where there is none."""
        return self._event.query()

    def synchronize(self) -> None:
        """Waits on this thread for the latest record; returns at once where there is none."""
        self._event.synchronize()

    def elapsed_time(self, end: Event) -> float:
        """Milliseconds from this event to `end`; negative where that came first."""
        return self._event.elapsed_time(_checked("elapsed_time", end, Event)._event)

    def __reduce__(self) -> str:
        raise TypeError("cannot pickle 'Event' object")


def _checked(method: str, given: object, wanted: type[_T]) -> _T:
    """What the schema's matcher of torch refuses: `None`, and whatever else is of another type."""
    if not isinstance(given, wanted):
        raise TypeError(f"{method}() expected a {wanted.__name__}, but got {type(given).__name__}")
    return given
