"""The functions of `torch.cuda` that are about devices and current streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _current, _devices, _native
from .._devices import DeviceLike
from . import _backend
from .streams import Stream, external

if TYPE_CHECKING:
    from ..classes import cuda as classes


def is_available() -> bool:
    """Whether there is a device: of CUDA, or of the backend that stands in for it. Raises as `device_count` does.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> syncpoint.cuda.is_available()
    True
    """
    return device_count() > 0


@_backend.present()
def device_count() -> int:
    """How many devices there are; 0 where there is no driver.

    Raises `UnavailableError` in a child of a fork whose parent had begun the driver: the devices are there, and of no use.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("sim")
    >>> syncpoint.cuda.device_count()
    2
    >>> syncpoint.set_default_backend(None)
    """
    return _devices.counted(_backend.backend())


@_backend.present()
def current_device() -> int:
    """The number of the current device of this thread and task.

    Raises `UnavailableError` where there is no device.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> syncpoint.cuda.current_device()
    0
    """
    return _backend.device().index


@_backend.present()
def set_device(device: DeviceLike) -> None:
    """Makes a device the current one of this thread and task. A negative number changes nothing.

    Raises `ValueError` for a device of another kind, `MisuseError` for a number that none has, `UnavailableError` where there
    is no device.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("sim")
    >>> syncpoint.cuda.set_device(1)
    >>> syncpoint.cuda.Stream().device.name, syncpoint.cuda.Stream("cuda:0").device.name
    ('sim:1', 'sim:0')
    >>> syncpoint.cuda.set_device(0)
    >>> syncpoint.set_default_backend(None)
    """
    index = _backend.index_of(device)
    if index is not None and index >= 0:
        _current.set_index(_backend.backend(), _backend.device(index).index)


class device:
    """Makes a device the current one for the length of a `with`; `None` and negative numbers change nothing. May be nested,
    entered again, and shared by threads and tasks. Refuses as `set_device` does, a device of another kind at once and
    others as the `with` begins.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("sim")
    >>> with syncpoint.cuda.device(1):
    ...     syncpoint.cuda.current_device()
    1
    >>> syncpoint.set_default_backend(None)
    """

    def __init__(self, device: DeviceLike) -> None:
        index = _backend.index_of(device)
        self.idx = -1 if index is None else index

    @_backend.present()
    def __enter__(self) -> None:
        if self.idx >= 0:
            _current.entered_device(self, _backend.backend(), _backend.device(self.idx).index)

    def __exit__(self, *_raised: object) -> None:
        if self.idx >= 0:
            _current.left_device(self)


@_backend.present()
def current_stream(device: DeviceLike = None) -> Stream:
    """The current stream of a device, of this thread and task: a new object each time, equal to those of before.

    Raises `ValueError` for a device of another kind, `UnavailableError` where there is no device.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> syncpoint.cuda.current_stream() == syncpoint.cuda.default_stream()
    True
    """
    return _wrapped(_current.current_stream(_backend.device(device)))


@_backend.present()
def default_stream(device: DeviceLike = None) -> Stream:
    """The stream on which a thread begins; of CUDA the driver's legacy stream. Raises as `current_stream` does.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> syncpoint.cuda.default_stream().cuda_stream
    0
    """
    return _wrapped(_current.default_stream(_backend.device(device)))


def set_stream(stream: _native.Stream | classes.Stream | None) -> None:
    """Makes a stream the current one of its device, and that the current device, of this thread and task. `None` changes
    nothing. Raises `TypeError` for what is no stream.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> side = syncpoint.cuda.Stream()
    >>> syncpoint.cuda.set_stream(side)
    >>> syncpoint.cuda.current_stream() == side
    True
    >>> syncpoint.cuda.set_stream(syncpoint.cuda.default_stream())
    """
    _current.set_stream(stream)


class StreamContext(_current.stream):
    """What `stream` gives: a stream is current for the length of a `with`, and its device too. Raises `RuntimeError` where it is
    left by a thread or task that has not entered it.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> context = syncpoint.cuda.StreamContext(syncpoint.cuda.Stream())
    >>> with context:
    ...     syncpoint.cuda.current_stream() == context.stream
    True
    """


def stream(stream: _native.Stream | classes.Stream | None) -> StreamContext:
    """Makes a stream the current one of this thread and task for the length of a `with`, and its device too; `None` changes
    nothing. Raises `TypeError` for what is no stream, and as `StreamContext` does.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> other = syncpoint.cuda.Stream()
    >>> with syncpoint.cuda.stream(other):
    ...     syncpoint.cuda.current_stream() == other
    True
    """
    return StreamContext(stream)


@_backend.present()
def get_stream_from_external(data_ptr: int, device: DeviceLike = None) -> Stream:
    """A stream that others made, by its pointer; whoever made it keeps it alive. 0 is the default stream.

    Raises `RuntimeError` for what is no number, `UnsupportedError` on a backend that stands in for CUDA, `UnavailableError`
    where there is no device.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> syncpoint.cuda.get_stream_from_external(0) == syncpoint.cuda.default_stream()
    True
    """
    return _wrapped(external(data_ptr, device))


@_backend.present()
def synchronize(device: DeviceLike = None, timeout: float | None = None) -> None:
    """Waits on this thread until all that the streams of a device were given so far is complete, at most `timeout` seconds. Ctrl-C
    ends the wait and nothing else.

    Raises `TimedOutError` with the report of who waits for whom, `FailedError` where a stream has failed, `ValueError` for a
    device of another kind, `UnavailableError` where there is no device.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> event = syncpoint.cuda.Stream().record_event()
    >>> syncpoint.cuda.synchronize(timeout=10)
    >>> event.query()
    True
    """
    _backend.device(device).synchronize(timeout)


@_backend.present()
def is_current_stream_capturing() -> bool:
    """Whether the current stream is captured into a graph. May enter the driver.

    Raises `UnavailableError` where there is no device.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> syncpoint.cuda.is_current_stream_capturing()
    False
    """
    return _current.current_stream(_backend.device()).is_capturing()


def _wrapped(stream: _native.Stream) -> Stream:
    return _native.Stream.__new__(Stream, stream)
