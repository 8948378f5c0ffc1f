"""Events and streams by number, as `torch._C` has them for MPS."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from .. import _current, _devices, _native
from .._by_device import ByDevice
from .._errors import FailedError, UnavailableError, _made, _worded

_P = ParamSpec("_P")
_R = TypeVar("_R")

_pools: ByDevice[_native.EventPool] = ByDevice(lambda device: _native.EventPool(device))
_rings: ByDevice[_native.SharedStreams] = ByDevice(lambda device: _native.SharedStreams(device))


def present(asked: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Tells in torch's words that there is no MPS; what was searched is told as the cause."""

    def told(function: Callable[_P, _R]) -> Callable[_P, _R]:
        @functools.wraps(function)
        def call(*arguments: _P.args, **keywords: _P.kwargs) -> _R:
            try:
                return function(*arguments, **keywords)
            except UnavailableError as absent:
                if absent._missing != "absent":
                    raise
                text = f"Cannot execute {asked}() without MPS backend."
                raise _made(absent.kind, absent.number, text, None, None, None, None) from absent

        return call

    return told


def backend() -> str:
    """The backend that was chosen to be the default, or Metal."""
    return _devices.default_backend() or "metal"


def device() -> _native.Device:
    """The device: torch knows one."""
    return _devices.opened(backend(), 0)


def _pool() -> _native.EventPool:
    return _pools.of(device())


def ring() -> _native.SharedStreams:
    """The 32 streams of the device that are shared."""
    return _rings.of(device())


def numbered(number: int) -> _native.Stream:
    """The stream that has a number: 0 the default one, 1 to 32 the shared ones."""
    of = device()
    if number == 0:
        return _current.default_stream(of)
    if not 1 <= number <= 32:
        raise RuntimeError(f"stream_id={number} not found")
    return ring().at(0, number - 1)


def number_of(stream: _native.Stream) -> int:
    """The number of a stream; negative of one that nobody else has, for which torch has none."""
    if stream._place is not None:
        return stream._place[1] + 1
    return 0 if stream.is_shared else -stream._id


def default_of(pool: _native.EventPool) -> _native.Stream:
    """The default stream. Refuses, as torch does, where another is current."""
    default = _native._default_if_current(pool.device)
    if default is None:
        raise NotImplementedError("Non-default streams are not yet supported.")
    return default


@present("acquireEvent")
def acquired(enable_timing: bool) -> tuple[_native.EventPool, int]:
    """An event by its number, and whose it is."""
    pool = _pool()
    return pool, pool.acquire(enable_timing)


def elapsed(pool: _native.EventPool, start: int, end: int) -> float:
    """The time between two events; one whose work has failed has none, in torch's words."""
    try:
        return pool.elapsed_time(start, end)
    except FailedError as failed:
        text = "MPS event timing failed because the GPU work for an event did not complete"
        raise _worded(failed, text) from failed


def _mps_acquireEvent(enable_timing: bool) -> int:
    """The number of an event, never 0, until it is released; no number means two events, ever.

    Raises `UnavailableError` where there is no MPS and no default backend, as every function here does.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> number = syncpoint.mps._mps_acquireEvent(True)
    >>> number > 0
    True
    >>> syncpoint.mps._mps_releaseEvent(number)
    """
    return acquired(enable_timing)[1]


@present("releaseEvent")
def _mps_releaseEvent(event_id: int) -> None:
    """Gives an event back. Its number means no event from then on; who waits for it goes on doing so.

    Raises `MisuseError` for a number that means no event, as every function here does that takes one.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> syncpoint.mps._mps_releaseEvent(0)
    Traceback (most recent call last):
    ...
    syncpoint.MisuseError: Invalid Event ID: 0
    """
    _pool().release(event_id)


@present("recordEvent")
def _mps_recordEvent(event_id: int) -> None:
    """Records the end of what the default stream was given so far.

    Raises `NotImplementedError` where another stream is current.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> number = syncpoint.mps._mps_acquireEvent(False)
    >>> syncpoint.mps._mps_recordEvent(number)
    >>> syncpoint.mps._mps_releaseEvent(number)
    """
    pool = _pool()
    pool.record(event_id, default_of(pool))


@present("waitForEvent")
def _mps_waitForEvent(event_id: int) -> None:
    """What the default stream is given from now on waits for the latest record; nothing where there is none.

    Raises `NotImplementedError` where another stream is current, and the failure of a stream that would have to wait and has
    failed.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> number = syncpoint.mps._mps_acquireEvent(False)
    >>> syncpoint.mps._mps_waitForEvent(number)
    >>> syncpoint.mps._mps_releaseEvent(number)
    """
    pool = _pool()
    pool.wait(event_id, default_of(pool))


@present("synchronizeEvent")
def _mps_synchronizeEvent(event_id: int, timeout: float | None = None) -> None:
    """Waits on this thread for the latest record, at most `timeout` seconds; returns at once where there is none.

    Raises `TimedOutError` with the report of who waits for whom, and the failure of the stream.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> number = syncpoint.mps._mps_acquireEvent(False)
    >>> syncpoint.mps._mps_recordEvent(number)
    >>> syncpoint.mps._mps_synchronizeEvent(number, timeout=10)
    >>> syncpoint.mps._mps_releaseEvent(number)
    """
    _pool().synchronize(event_id, timeout)


@present("queryEvent")
def _mps_queryEvent(event_id: int) -> bool:
    """Whether it was recorded and is complete: false where it was never recorded. Does not wait. Raises the failure of the
    stream.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> number = syncpoint.mps._mps_acquireEvent(False)
    >>> syncpoint.mps._mps_queryEvent(number)
    False
    >>> syncpoint.mps._mps_releaseEvent(number)
    """
    return _pool().query(event_id)


@present("elapsedTimeOfEvents")
def _mps_elapsedTimeOfEvents(start_event_id: int, end_event_id: int) -> float:
    """Milliseconds between two events. It waits for both.

    Raises `RuntimeError` where either was acquired without timing or never recorded, or the end came first, and
    `FailedError` where the work of either has failed.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> start, end = (syncpoint.mps._mps_acquireEvent(True) for _ in range(2))
    >>> syncpoint.mps._mps_recordEvent(start); syncpoint.mps._mps_recordEvent(end)
    >>> syncpoint.mps._mps_elapsedTimeOfEvents(start, end) >= 0
    True
    """
    return elapsed(_pool(), start_event_id, end_event_id)


@present("setStream")
def _mps_setStream(stream_id: int) -> None:
    """Makes the stream with a number the current one of this thread and task: 0 the default one, 1 to 32 the shared ones.

    Raises `RuntimeError` for a number that no stream has.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> syncpoint.mps._mps_setStream(5)
    >>> syncpoint.mps.current_stream()
    <torch.mps.Stream stream_id=5>
    >>> syncpoint.mps._mps_setStream(0)
    """
    _current.set_stream(numbered(stream_id))


@present("getCurrentStream")
def _mps_getCurrentStream() -> int:
    """The number of the current stream of this thread and task; negative of one that nobody else has.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> with syncpoint.mps.stream(syncpoint.mps.Stream(9)):
    ...     syncpoint.mps._mps_getCurrentStream()
    9
    """
    return number_of(_current.current_stream(device()))


@present("deviceSynchronize")
def _mps_deviceSynchronize(timeout: float | None = None) -> None:
    """Waits as `syncpoint.mps.synchronize` does, which calls it.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> syncpoint.mps._mps_deviceSynchronize(timeout=10)
    """
    device().synchronize(timeout)


@present("emptyCache")
def _mps_emptyCache() -> None:
    """Drops the events that nobody has. May enter the driver.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> syncpoint.mps._mps_releaseEvent(syncpoint.mps._mps_acquireEvent(False))
    >>> syncpoint.mps._mps_emptyCache()
    """
    _pool().empty_cache()
