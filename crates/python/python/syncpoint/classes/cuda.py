"""`torch.classes.cuda.Event` and `Stream`: what scripts of torch have, with every argument where its schema has one.

>>> import inspect, syncpoint
>>> list(inspect.signature(syncpoint.classes.cuda.Event).parameters)
['enable_timing', 'blocking', 'interprocess']
"""

from __future__ import annotations

from typing import TypeVar

from .. import _native
from .. import cuda as _cuda
from .._devices import DeviceLike

__all__ = ["Event", "Stream"]

_T = TypeVar("_T")


class Stream:
    """A stream of a device, the current one where none is given; a smaller `priority` is more urgent. It is as
    `syncpoint.cuda.Stream` is: shared, and refused as that.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> stream = syncpoint.classes.cuda.Stream()
    >>> event = stream.record_event(syncpoint.classes.cuda.Event())
    >>> stream.synchronize()
    >>> event.query(), stream.device_index()
    (True, 0)
    """

    def __init__(self, device: DeviceLike = None, priority: int = 0) -> None:
        self._stream = _cuda.Stream(device, priority)

    @property
    def device(self) -> _native.Device:
        """The device.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> syncpoint.classes.cuda.Stream().device
        syncpoint.open("host:0")
        """
        return self._stream.device

    def device_index(self) -> int:
        """The number of the device among those of its kind.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("sim")
        >>> syncpoint.classes.cuda.Stream(1).device_index()
        1
        >>> syncpoint.set_default_backend(None)
        """
        return self._stream.device_index

    def id(self) -> int:
        """Torch's number of the stream: `syncpoint.cuda.Stream.stream_id`.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> stream = syncpoint.classes.cuda.Stream()
        >>> syncpoint.cuda.Stream(stream_id=stream.id(), device_index=0, device_type=0).stream_id == stream.id()
        True
        """
        return self._stream.stream_id

    def query(self) -> bool:
        """Whether everything enqueued so far is complete. Does not wait. Raises the stream's failure.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> syncpoint.classes.cuda.Stream().query()
        True
        """
        return self._stream.query()

    def synchronize(self) -> None:
        """Waits on this thread until everything enqueued so far is complete, without a bound; Ctrl-C ends the wait and nothing
        else. Raises the stream's failure, and minds `syncpoint.cuda.set_sync_debug_mode`.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> stream = syncpoint.classes.cuda.Stream()
        >>> stream.synchronize()
        >>> stream.query()
        True
        """
        self._stream.synchronize()

    def record_event(self, event: Event) -> Event:
        """Records an event here, and gives it.

        Raises `TypeError` for what is no `Event` of this module, and what `Event.record` raises.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> event = syncpoint.classes.cuda.Event()
        >>> syncpoint.classes.cuda.Stream().record_event(event) is event
        True
        """
        _checked("record_event", event, Event).record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """What is enqueued from now on waits for the event's latest record; this thread does not.

        Raises `TypeError` for what is no `Event` of this module, and the failure of a stream that would have to wait and has
        failed.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> from syncpoint.classes.cuda import Event, Stream
        >>> first, second = Stream(), Stream()
        >>> second.wait_event(first.record_event(Event()))
        >>> second.synchronize()
        """
        _checked("wait_event", event, Event).wait(self)

    def wait_stream(self, stream: Stream) -> None:
        """What is enqueued from now on waits for all that `stream` was given so far; this thread does not.

        Raises `TypeError` for what is no `Stream` of this module. Where that stream fails, this one does.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> first, second = syncpoint.classes.cuda.Stream(), syncpoint.classes.cuda.Stream()
        >>> second.wait_stream(first)
        >>> second.synchronize()
        """
        self._stream.wait_stream(_checked("wait_stream", stream, Stream)._stream)

    def __reduce__(self) -> str:
        raise TypeError("cannot pickle 'Stream' object")


class Event:
    """An event; `interprocess` and `enable_timing` exclude each other.

    Raises `RuntimeError` where both are asked for, and what `syncpoint.cuda.Event` raises.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> stream = syncpoint.classes.cuda.Stream()
    >>> event = syncpoint.classes.cuda.Event(enable_timing=True)
    >>> event.record(stream)
    >>> event.synchronize()
    >>> event.elapsed_time(event)
    0.0
    """

    def __init__(self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False) -> None:
        if interprocess and enable_timing:
            raise RuntimeError("Expected !enable_timing to be true, but got false.")
        self._event = _cuda.Event(enable_timing, blocking, interprocess)

    def record(self, stream: Stream) -> None:
        """Records the end of what the stream was given so far.

        Raises `TypeError` for what is no `Stream` of this module, `MisuseError` for a stream of another device. On a stream
        that has failed the event has failed too.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> event = syncpoint.classes.cuda.Event()
        >>> event.record(syncpoint.classes.cuda.Stream())
        >>> event.synchronize()
        """
        self._event.record(_checked("record", stream, Stream)._stream)

    def wait(self, stream: Stream) -> None:
        """What the stream is given from now on waits for the latest record; nothing where there is none. This thread does not wait.

        Raises `TypeError` for what is no `Stream` of this module, and the failure of a stream that would have to wait and has
        failed.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> from syncpoint.classes.cuda import Event, Stream
        >>> event = Stream().record_event(Event())
        >>> event.wait(Stream())
        """
        self._event.wait(_checked("wait", stream, Stream)._stream)

    def query(self) -> bool:
        """Whether its latest record is complete; true where there is none. Does not wait. Raises the failure of its stream.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> syncpoint.classes.cuda.Event().query()
        True
        """
        return self._event.query()

    def synchronize(self) -> None:
        """Waits on this thread for the latest record, without a bound; returns at once where there is none. Ctrl-C ends the wait
        and nothing else. Raises the failure of its stream.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> from syncpoint.classes.cuda import Event, Stream
        >>> event = Stream().record_event(Event())
        >>> event.synchronize()
        >>> event.query()
        True
        """
        self._event.synchronize()

    def elapsed_time(self, end: Event) -> float:
        """Milliseconds from this event to `end`; negative where that came first. Does not wait.

        Raises `TypeError` for what is no `Event` of this module, and what `syncpoint.cuda.Event.elapsed_time` raises.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> from syncpoint.classes.cuda import Event, Stream
        >>> stream, start, end = Stream(), Event(enable_timing=True), Event(enable_timing=True)
        >>> start.record(stream); end.record(stream); end.synchronize()
        >>> start.elapsed_time(end) >= 0
        True
        """
        return self._event.elapsed_time(_checked("elapsed_time", end, Event)._event)

    def __reduce__(self) -> str:
        raise TypeError("cannot pickle 'Event' object")


def _checked(method: str, given: object, wanted: type[_T]) -> _T:
    """What the schema's matcher of torch refuses: `None`, and whatever else is of another type."""
    if not isinstance(given, wanted):
        raise TypeError(f"{method}() expected a {wanted.__name__}, but got {type(given).__name__}")
    return given
