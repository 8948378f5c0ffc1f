"""`Event`, `Stream` and `ExternalStream` as `torch.cuda.streams` has them.

>>> from syncpoint.cuda.streams import ExternalStream, Stream
>>> issubclass(ExternalStream, Stream)
True
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from .. import _current, _devices, _native
from .._by_device import ByDevice
from .._devices import DeviceLike
from .._errors import MisuseError, UnavailableError, UnsupportedError, _worded
from . import _backend
from ._mode import checked

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Event", "ExternalStream", "Stream"]

#: The shared streams of each device.
_rings: ByDevice[_native.SharedStreams] = ByDevice(lambda device: _native.SharedStreams(device))


class Stream(_native.Stream):
    """A stream of CUDA, or of the backend that stands in for it: `torch.cuda.Stream`.

    It is one of 32 that a device has of each priority, in turn, as with torch: the 33rd is the first once more, and
    `is_shared` says so; `syncpoint.Stream` gives one that nobody else has. `device` is the current one where none is given;
    a smaller `priority` is more urgent, and clamped to those of the device. `stream_id` with `device_index` and
    `device_type` gives the stream that told them, `stream_ptr` one of others; an even `stream_id` but 0 is such a pointer too, and
    believed.

    Raises `UnavailableError` where there is no CUDA and no default backend, `ValueError` for a device of another kind,
    `TypeError` for options that one of those makes meaningless, `RuntimeError` for a number that no stream has.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> stream = syncpoint.cuda.Stream(priority=-1)
    >>> stream.is_shared, stream.query()
    (True, True)
    """

    def __new__(cls, device: DeviceLike = None, priority: int = 0, **kwargs: Any) -> Self:
        unknown = sorted(kwargs.keys() - {"stream_id", "device_index", "device_type", "stream_ptr"})
        if unknown:
            raise TypeError(f"Stream() got an unexpected keyword argument '{unknown[0]}'")
        try:
            return super().__new__(cls, _found(device, priority, kwargs))
        except UnavailableError as refused:
            _backend.tell(refused, "torch.cuda.Stream requires CUDA support")
            raise

    @property
    def stream_id(self) -> int:
        """Torch's number of it: 0 of the default stream, the pointer of one of others, else of its place among the shared
        ones; negative of a stream that nobody else has, for which torch has no number.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> stream = syncpoint.cuda.Stream()
        >>> numbers = {name: getattr(stream, name) for name in ("stream_id", "device_index", "device_type")}
        >>> syncpoint.cuda.Stream(**numbers) == stream
        True
        """
        if self._place is not None:
            level, place = self._place
            return (place << 5) | ((level + 1) << 1) | 1
        return self.cuda_stream if self.is_shared else -self._id

    @property
    def cuda_stream(self) -> int:
        """The driver's stream, as a number, 0 of the default stream: others may launch on it from now on. On a backend that
        stands in for CUDA it is a number that no driver knows.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> syncpoint.cuda.default_stream().cuda_stream, syncpoint.cuda.Stream().cuda_stream > 0
        (0, True)
        """
        if self.device.type != "cuda":
            return 0 if self.is_shared and self._place is None else self._id
        handle = self.native_handle
        return 0 if handle == _LEGACY else handle

    @property
    def _as_parameter_(self) -> ctypes.c_void_p:
        return ctypes.c_void_p(self.cuda_stream)

    def __cuda_stream__(self) -> tuple[int, int]:
        """The protocol of CUDA's streams: its version, and the handle, which is given out as by `cuda_stream`.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> stream = syncpoint.cuda.Stream()
        >>> stream.__cuda_stream__() == (0, stream.cuda_stream)
        True
        """
        return 0, self.cuda_stream

    @staticmethod
    def priority_range() -> tuple[int, int]:
        """The least and the greatest priority, as torch has them: 0, and -3 at most.

        Raises `UnavailableError` where there is no device.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> least, greatest = syncpoint.cuda.Stream.priority_range()
        >>> syncpoint.cuda.Stream(priority=-99).priority == greatest, least
        (True, 0)
        """
        return _priority_range()

    def wait_event(self, event: Any) -> None:
        """What is enqueued from now on waits for the event's latest record; this thread does not. It goes by `event.wait(self)`,
        and raises what that does.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> first, second = syncpoint.cuda.Stream(), syncpoint.cuda.Stream()
        >>> second.wait_event(first.record_event())
        >>> second.synchronize(timeout=10)
        """
        event.wait(self)

    def wait_stream(self, stream: Any) -> None:
        """What is enqueued from now on waits for all that `stream` was given so far; this thread does not. Where that
        fails, this stream does.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> loads, computes = syncpoint.cuda.Stream(), syncpoint.cuda.Stream()
        >>> loads.delay(0.001); computes.wait_stream(loads)
        >>> computes.synchronize(timeout=10)
        >>> loads.query()
        True
        """
        self.wait_event(stream.record_event())

    def record_event(self, event: Any = None) -> Any:
        """Records an event here, a new one without timing where none is given, and gives it. It goes by `event.record(self)`, and
        raises what that does.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> event = syncpoint.cuda.Event(enable_timing=True)
        >>> syncpoint.cuda.Stream().record_event(event) is event
        True
        """
        if event is None:
            event = Event()
        event.record(self)
        return event

    def synchronize(self, timeout: float | None = None) -> None:
        """Waits on this thread until all that was enqueued so far is complete, at most `timeout` seconds: see
        `syncpoint.Stream.synchronize`. Minds `set_sync_debug_mode`, by which it may raise `RuntimeError`.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> stream = syncpoint.cuda.Stream()
        >>> work = stream.enqueue(sum, [1, 2, 3])
        >>> stream.synchronize(timeout=10)
        >>> work.done(), work.result()
        (True, 6)
        """
        checked()
        super().synchronize(timeout)

    def __repr__(self) -> str:
        # To tell the handle of a stream that is managed would give it out.
        named = "cuda_stream={:#x}".format(self.cuda_stream) if self._has_handle() else f"stream_id={self.stream_id}"
        return f"<torch.cuda.Stream device={self.device} {named}>"

    def _has_handle(self) -> bool:
        return self.device.type != "cuda" or self.mode != "managed"


#: The handle by which the driver knows its legacy stream.
_LEGACY = 1


#: Torch's number of the kind of device.
_CUDA = 1

_PRIORITY = "Priority was explicitly set for an external stream"


def _found(device: DeviceLike, priority: int, kwargs: dict[str, Any]) -> _native.Stream:
    if "stream_ptr" in kwargs:
        if priority:
            raise RuntimeError(_PRIORITY)
        if others := sorted(kwargs.keys() - {"stream_ptr"}):
            raise TypeError(f"{others[0]} is told by stream_ptr; give one of the two")
        return external(kwargs["stream_ptr"], device)
    if "stream_id" in kwargs:
        if priority:
            raise TypeError("priority is that of the stream that stream_id means; give none beside it")
        of = _backend.device(kwargs.get("device_index", device))
        kinds = (_CUDA, _current.default_stream(of).device_type)
        if kwargs.get("device_type", _CUDA) not in kinds:
            raise ValueError(f"Expected a cuda device, but got device type {kwargs['device_type']}")
        return _numbered(kwargs["stream_id"], of)
    if kwargs:
        raise TypeError(f"{sorted(kwargs)[0]} tells whose a stream_id is; give that too, or name a device")
    return _rings.of(_backend.device(device)).next(priority)


@_backend.present()
def _priority_range() -> tuple[int, int]:
    return 0, max(-3, min(0, _backend.device().priority_range[1]))


def _numbered(number: int, device: _native.Device) -> _native.Stream:
    """The stream that has a number of torch's."""
    if number == 0:
        return _current.default_stream(device)
    level, place = ((number >> 1) & 0xF) - 1, number >> 5
    if number & 1 and 0 <= level < 4 and 0 <= place < 32:
        return _rings.of(device).at(level, place)
    if number & 1 or number < 0:
        raise RuntimeError(f"stream_id={number} not found")
    return external(number, device)


def external(pointer: object, device: DeviceLike) -> _native.Stream:
    """A stream of others, by its pointer."""
    if pointer is not None and not isinstance(pointer, int):
        raise RuntimeError(f"stream_ptr must be an int or None, got {type(pointer).__name__}")
    of = _backend.device(device)
    if not pointer:
        return _current.default_stream(of)
    return of._external_stream(pointer)


class ExternalStream(Stream):
    """A stream that others made, by its pointer: `torch.cuda.ExternalStream`. Whoever made it keeps it alive.

    Raises `UnsupportedError` on a backend that stands in for CUDA, `RuntimeError` for a priority, which it has already.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> syncpoint.cuda.ExternalStream(0) == syncpoint.cuda.default_stream()
    True
    """

    def __new__(cls, stream_ptr: int | None, device: DeviceLike = None, **kwargs: Any) -> Self:
        if "priority" in kwargs:
            raise RuntimeError(_PRIORITY)
        return super().__new__(cls, device=device, stream_ptr=stream_ptr, **kwargs)


class Event(_native._CudaEvent):
    """An event of CUDA, or of the backend that stands in for it: `torch.cuda.Event`.

    `enable_timing`: whether `elapsed_time` can be asked. `blocking`: whether waits of the host sleep at once.
    `interprocess`: whether it can be exported. `external`: whether launches of a graph record it and wait for it.

    Raises `UnavailableError` where there is no CUDA and no default backend, `MisuseError` where options contradict each
    other, `UnsupportedError` for one that is `external` and timed.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> event = syncpoint.cuda.Event(enable_timing=True)
    >>> event
    <torch.cuda.Event uninitialized>
    >>> event.record()
    >>> event.synchronize(timeout=10)
    >>> event.query()
    True
    """

    def __new__(
        cls, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False, external: bool = False
    ) -> Self:
        kind = _backend.backend()
        try:
            return super().__new__(
                cls,
                kind,
                enable_timing=enable_timing,
                blocking=blocking,
                interprocess=interprocess,
                external=external,
                native_handle=kind == "cuda" and not interprocess and not external,
            )
        except UnavailableError as refused:
            _backend.tell(refused, "torch.cuda.Event requires CUDA support")
            raise

    @classmethod
    @_backend.present()
    def from_ipc_handle(cls, device: DeviceLike, handle: bytes | bytearray | memoryview) -> Self:
        """The event that another process exported, by the 64 bytes of its `ipc_handle`. Enters the driver.

        Raises `RuntimeError` for another kind of device and for what is not 64 bytes, `MisuseError` for bytes that are no
        handle, `FailedError` where the event is gone, or its process, `UnsupportedError` where the device takes none in.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> syncpoint.cuda.Event.from_ipc_handle(0, b"short")
        Traceback (most recent call last):
        ...
        RuntimeError: cudaIpcEventHandle_t expects byte-like object of size 64, but got 5
        """
        try:
            index = _backend.index_of(device)
        except ValueError:
            kind = _devices.named(device, "cuda")[0]
            given = "cpu" if kind == "host" else kind
            text = f"Event can only be created on CUDA devices, but got device type {given}"
            raise RuntimeError(text) from None
        octets = bytes(handle) if isinstance(handle, (bytes, bytearray, memoryview)) else None
        if octets is None or len(octets) != 64:
            size = type(handle).__name__ if octets is None else len(octets)
            raise RuntimeError(f"cudaIpcEventHandle_t expects byte-like object of size 64, but got {size}")
        imported = _native.Event.from_ipc_handle(_backend.device(index), octets)
        return _native._CudaEvent.__new__(cls, imported)

    def elapsed_time(self, end_event: _native.Event) -> float:
        """Milliseconds from this event to `end_event`; negative where that came first. Does not wait.

        Raises `ValueError` where either was made without `enable_timing` or never recorded, `RuntimeError` where either is
        not complete, and for what is no event of this class.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> start, end = (syncpoint.cuda.Event(enable_timing=True) for _ in range(2))
        >>> stream = syncpoint.cuda.Stream()
        >>> start.record(stream); stream.delay(0.002); end.record(stream)
        >>> end.synchronize(timeout=10)
        >>> start.elapsed_time(end) >= 1
        True
        """
        if not isinstance(end_event, Event):
            raise RuntimeError("expected other to be a torch.cuda.Event object")
        return super().elapsed_time(end_event)

    @property
    def cuda_event(self) -> int:
        """The driver's event, as a number; 0 until it is recorded. It is a number that no driver knows where there is no such
        event: of an `interprocess` event, of one of another process, and on a backend that stands in for CUDA.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> event = syncpoint.cuda.Event()
        >>> before = event.cuda_event
        >>> event.record()
        >>> before, event.cuda_event > 0
        (0, True)
        """
        if self.device is None or self.device.type != "cuda" or self.event_id == 0:
            return self.event_id
        try:
            return self.native_handle
        except UnsupportedError:
            return self.event_id

    @property
    def _as_parameter_(self) -> ctypes.c_void_p:
        return ctypes.c_void_p(self.cuda_event)

    def _told(self, refused: BaseException, stream: _native.Stream) -> BaseException:
        """The refusal of a record; of a stream of another device as torch tells it of CUDA's."""
        if not isinstance(refused, MisuseError):
            return refused
        text, device = str(refused), stream.device
        if refused.reason == "wrong device" and device.type != _backend.backend():
            text = "Expected stream_.device_type() == DeviceType::CUDA to be true, but got false."
        elif refused.reason == "wrong device" and self.device is not None:
            text = f"Event device {self.device.index} does not match recording stream's device {device.index}."
        return _worded(refused, text)

    def __repr__(self) -> str:
        return f"<torch.cuda.Event {self.cuda_event:#x}>" if self.event_id else "<torch.cuda.Event uninitialized>"
