"""`Stream` and the current streams as `torch.mps` has them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .. import _current, _devices, _native
from . import _table

if TYPE_CHECKING:
    from typing_extensions import Self


class Stream(_native.Stream):
    """A stream of MPS, or of the backend that stands in for it: `torch.mps.Stream`. It is the one with a number, 0 the
    default stream and 1 to 32 the shared ones, or the next of the shared ones where no number is given.

    Raises `UnavailableError` where there is no MPS and no default backend, `RuntimeError` for a number that no stream has.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> syncpoint.mps.Stream(stream_id=3)
    <torch.mps.Stream stream_id=3>
    """

    def __new__(cls, stream_id: int | None = None) -> Self:
        return super().__new__(cls, _found(stream_id))

    @property
    def stream_id(self) -> int:
        """The number: 0 of the default stream, 1 to 32 of the shared ones, negative of others.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> syncpoint.mps.default_stream().stream_id, syncpoint.mps.Stream(32).stream_id
        (0, 32)
        """
        return _table.number_of(self)

    def __repr__(self) -> str:
        return f"<torch.mps.Stream stream_id={self.stream_id}>"


@_table.present("getStream")
def _found(stream_id: int | None) -> _native.Stream:
    return _table.ring().next() if stream_id is None else _table.numbered(stream_id)


@_table.present("getCurrentStream")
def current_stream() -> Stream:
    """The current stream of this thread and task.

    Raises `UnavailableError` where there is no MPS and no default backend.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> syncpoint.mps.current_stream()
    <torch.mps.Stream stream_id=0>
    """
    return _wrapped(_current.current_stream(_table.device()))


@_table.present("getDefaultStream")
def default_stream() -> Stream:
    """The stream on which a thread begins.

    Raises `UnavailableError` where there is no MPS and no default backend.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> with syncpoint.mps.stream(syncpoint.mps.Stream()):
    ...     syncpoint.mps.default_stream()
    <torch.mps.Stream stream_id=0>
    """
    return _wrapped(_current.default_stream(_table.device()))


def set_stream(stream: _native.Stream | None) -> None:
    """Makes a stream the current one of this thread and task. `None` changes nothing. Raises `TypeError` for what is no
    stream.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> syncpoint.mps.set_stream(syncpoint.mps.Stream(7))
    >>> syncpoint.mps.current_stream()
    <torch.mps.Stream stream_id=7>
    >>> syncpoint.mps.set_stream(syncpoint.mps.default_stream())
    """
    _current.set_stream(stream)


@contextlib.contextmanager
def stream(stream: _native.Stream | None) -> Iterator[_native.Stream | None]:
    """Makes a stream the current one of this thread and task for the length of a `with`; `None` changes nothing.
    Raises `TypeError` for what is no stream.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> other = syncpoint.mps.Stream()
    >>> with syncpoint.mps.stream(other):
    ...     syncpoint.mps.current_stream() == other
    True
    """
    with _current.stream(stream):
        yield stream


def synchronize(timeout: float | None = None) -> None:
    """Waits on this thread until all that any stream of the device was given so far is complete, at most `timeout` seconds. Ctrl-C
    ends the wait and nothing else.

    Raises `TimedOutError` with the report of who waits for whom, `FailedError` where a stream has failed, `UnavailableError`
    where there is no MPS and no default backend.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> stream = syncpoint.mps.Stream()
    >>> stream.delay(0.001)
    >>> syncpoint.mps.synchronize(timeout=10)
    >>> stream.query()
    True
    """
    _table._mps_deviceSynchronize(timeout)


def device_count() -> int:
    """How many devices there are: one or none. May begin the driver. Raises `UnavailableError` in a child of a fork whose parent
    had begun it.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> syncpoint.mps.device_count()
    1
    """
    return min(1, _devices.counted(_table.backend()))


def _wrapped(stream: _native.Stream) -> Stream:
    return _native.Stream.__new__(Stream, stream)
