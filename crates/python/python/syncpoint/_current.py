"""The current device and streams of each thread and task.

They lie in a context variable, so that tasks of asyncio do not see each other's. What a new thread inherits with its context
is its parent's: there it counts for nothing, and the thread begins on the default streams of the first devices.
"""

from __future__ import annotations

import contextvars
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from . import _native
from ._by_device import ByDevice

if TYPE_CHECKING:
    from ._devices import DeviceLike
    from .classes import cuda as classes


class _Set(NamedTuple):
    """A stream that was made current, with its device: one of before a fork has the same name, and is another."""

    device: _native.Device
    stream: _native.Stream


class _Saved(NamedTuple):
    """What the end of a `with` brings back: the index of the kind, and the stream of the device."""

    number: int | None
    stream: _Set | None


class _Index(NamedTuple):
    """What the end of the `with` of a device brings back: the index of its kind."""

    kind: str
    number: int | None


class _State(NamedTuple):
    #: The number of the thread that set it.
    thread: int
    #: The current streams, by the names of their devices.
    streams: Mapping[str, _Set]
    #: The index of the current device of each kind.
    indices: Mapping[str, int]
    #: What each stream that is entered brings back, the latest last.
    entered: Mapping[int, tuple[_Saved, ...]]
    #: What each `with` of a device brings back, the latest last.
    devices: Mapping[object, tuple[_Index, ...]]


_current: contextvars.ContextVar[_State | None] = contextvars.ContextVar("syncpoint.current", default=None)
_get = _current.get
_defaults: ByDevice[_native.Stream] = ByDevice(lambda device: device._default_stream())


def _state() -> _State:
    thread, state = _native._thread(), _get()
    return state if state is not None and state.thread == thread else _State(thread, {}, {}, {}, {})


def _keep(state: _State) -> None:
    """Makes a state this thread and task's. One with nothing in it is none, which is what is looked at quickest."""
    _current.set(state if any(state[1:]) else None)


def index(kind: str) -> int:
    """The index of the current device of a kind."""
    state = _get()
    return state.indices.get(kind, 0) if state is not None and state.thread == _native._thread() else 0


def set_index(kind: str, index: int | None) -> None:
    """Makes the device of a kind with an index the current one; `None` the first."""
    state = _state()
    _keep(state._replace(indices=_with(state.indices, kind, index)))


def default_stream(device: DeviceLike = None) -> _native.Stream:
    """The stream on which a thread begins. There is one for each device; of CUDA it is the driver's legacy stream, on which
    others launch who name none.

    Raises `RuntimeError` for a name that no device has, `MisuseError` for a number that none has, `UnavailableError` where it is
    not there.

    >>> import syncpoint
    >>> syncpoint.default_stream("host") == syncpoint.current_stream("host")
    True
    """
    return _defaults.of(_devices.resolved(device))


def current_stream(device: DeviceLike = None) -> _native.Stream:
    """The stream that is meant where none is given, of this thread and task. Raises as `default_stream` does.

    >>> import syncpoint
    >>> syncpoint.current_stream() == syncpoint.default_stream()
    True
    """
    return _native._current_stream(_devices.resolved(device))


def set_stream(stream: _native.Stream | classes.Stream | None) -> None:
    """Makes a stream the current one of its device, and that the current one of its kind, for this thread and task. `None`
    changes nothing. Raises `TypeError` for what is no stream.

    >>> import syncpoint
    >>> stream = syncpoint.Stream("host")
    >>> syncpoint.set_stream(stream)
    >>> syncpoint.current_stream("host") == stream
    True
    >>> syncpoint.set_stream(syncpoint.default_stream("host"))
    """
    inner = meant(stream)
    if inner is not None:
        _keep(_on(_state(), inner))


def meant(stream: object) -> _native.Stream | None:
    """The stream that is to be made current, which may be inside one of the classes of scripts."""
    if stream is None or isinstance(stream, _native.Stream):
        return stream
    if isinstance(stream, _scripting.Stream):
        return stream._stream
    raise TypeError(f"expected a stream or None, but got {type(stream).__name__}")


def _on(state: _State, stream: _native.Stream) -> _State:
    device = _devices.known(stream.device)
    return state._replace(
        streams={**state.streams, device.name: _Set(device, stream)},
        indices={**state.indices, device.type: device.index},
    )


def _with(mapping: Mapping[str, int], key: str, value: int | None) -> Mapping[str, int]:
    rest = {each: mapping[each] for each in mapping if each != key}
    return rest if value is None else {**rest, key: value}


def entered(stream: _native.Stream) -> None:
    """Begins the `with` of a stream: it is current until the matching end, which brings back what was."""
    state, device = _state(), stream.device
    saved = _Saved(state.indices.get(device.type), state.streams.get(device.name))
    before = state.entered.get(stream._id, ())
    _keep(_on(state, stream)._replace(entered={**state.entered, stream._id: (*before, saved)}))


def left(stream: _native.Stream) -> None:
    """Ends the `with` of a stream. Raises `RuntimeError` where this thread and task has not begun it."""
    state, device = _state(), stream.device
    if stream._id not in state.entered:
        raise RuntimeError("Stream context stack is empty.")
    *before, saved = state.entered[stream._id]
    rest = {each: state.entered[each] for each in state.entered if each != stream._id}
    streams = {name: state.streams[name] for name in state.streams if name != device.name}
    if saved.stream is not None:
        streams[device.name] = saved.stream
    indices = _with(state.indices, device.type, saved.number)
    entered = {**rest, stream._id: tuple(before)} if before else rest
    _keep(state._replace(streams=streams, indices=indices, entered=entered))


def entered_device(context: object, kind: str, index: int) -> None:
    """Begins the `with` of a device: it is the current one of its kind until the matching end, which brings back what was."""
    state = _state()
    saved = (*state.devices.get(context, ()), _Index(kind, state.indices.get(kind)))
    indices = _with(state.indices, kind, index)
    _keep(state._replace(indices=indices, devices={**state.devices, context: saved}))


def left_device(context: object) -> None:
    """Ends the `with` of a device. Raises `RuntimeError` where this thread and task has not begun it."""
    state = _state()
    if context not in state.devices:
        raise RuntimeError("Device context stack is empty.")
    *before, saved = state.devices[context]
    devices = {each: state.devices[each] for each in state.devices if each is not context}
    if before:
        devices[context] = tuple(before)
    _keep(state._replace(indices=_with(state.indices, saved.kind, saved.number), devices=devices))


class stream:
    """Makes a stream the current one of its device, and that the current device, for the length of a `with`; `None` changes
    nothing. May be nested, entered again, and shared by threads and tasks.

    Raises `TypeError` for what is no stream, `RuntimeError` where it is left by a thread or task that has not entered it.

    >>> import syncpoint
    >>> other = syncpoint.Stream("host")
    >>> with syncpoint.stream(other):
    ...     syncpoint.current_stream("host") == other
    True
    """

    def __init__(self, stream: _native.Stream | classes.Stream | None) -> None:
        self.stream = meant(stream)

    def __enter__(self) -> _native.Stream | None:
        if self.stream is not None:
            entered(self.stream)
        return self.stream

    def __exit__(self, *_raised: object) -> None:
        if self.stream is not None:
            left(self.stream)


from . import _devices  # noqa: E402  (each needs the other, here only when it is called)
from .classes import cuda as _scripting  # noqa: E402  (the same)
