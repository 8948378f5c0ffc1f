"""Streams of other programs, taken in by their handles and by the protocols that carry them."""

from __future__ import annotations

from typing import Any

from . import _native
from ._devices import DeviceLike, opened, resolved


def external_stream(
    handle: int, device: DeviceLike = None, *, owner: object = None
) -> _native.Stream:
    """A stream that others made on a CUDA device, by its handle (`cudaStream_t`): 0 and 1 are the legacy default stream, 2
    is that of this thread. A `device` that is a number is one of CUDA. The stream is never destroyed here. `owner` is kept for as
    long as it is used; without one see to it that the stream lives. A handle that is no stream's is undefined behaviour of the
    driver.

    Raises `UnsupportedError` where `device` is of another kind, `UnavailableError` where there is no driver.

    >>> import syncpoint
    >>> syncpoint.external_stream(0x5570, "host")
    Traceback (most recent call last):
    ...
    syncpoint.UnsupportedError: host backend has no streams of others by pointer; make one with Stream()
    """
    of = opened("cuda", device) if device is None or isinstance(device, int) else resolved(device)
    return of._external_stream(handle, owner)


def as_stream(stream: Any, device: DeviceLike = None) -> _native.Stream:
    """The stream that is meant by an object: a `syncpoint.Stream`, or what has `__cuda_stream__` (streams of torch, CuPy and
    cuda.core), which is kept for as long as its stream is used here.

    Raises `TypeError` where it is neither, and what `external_stream` raises.

    >>> import syncpoint
    >>> stream = syncpoint.Stream("host")
    >>> syncpoint.as_stream(stream) is stream
    True
    """
    if isinstance(stream, _native.Stream):
        return stream
    protocol = getattr(stream, "__cuda_stream__", None)
    if protocol is None:
        raise TypeError(f"expected a syncpoint.Stream or an object with __cuda_stream__, but got {type(stream).__name__}")
    version, handle = protocol()
    if version != 0:
        raise TypeError(f"{type(stream).__name__} speaks version {version} of __cuda_stream__; version 0 is known here")
    return external_stream(handle, _device_of(stream) if device is None else device, owner=stream)


def _device_of(stream: Any) -> int | None:
    """The device of a stream of others, where it names one: by the `index` (torch) or the `device_id` (cuda.core) of its
    device, or by its own `device_id` (CuPy)."""
    device = getattr(stream, "device", None)
    named = (getattr(device, "index", None), getattr(device, "device_id", None), getattr(stream, "device_id", None))
    return next((index for index in named if isinstance(index, int)), None)


def from_dlpack_stream(number: int | None, device: DeviceLike = None) -> _native.Stream | None:
    """The stream that the number of a DLPack exchange means on CUDA (`stream` of `__dlpack__`): none or 1 the legacy default
    stream, 2 that of this thread, a greater one is a handle; -1 is no stream: nobody is to be waited for.

    Raises `ValueError` for 0, which the protocol does not allow, and for any other negative number; what `external_stream`
    raises.

    >>> import syncpoint
    >>> print(syncpoint.from_dlpack_stream(-1))
    None
    """
    if number == -1:
        return None
    if number is not None and number <= 0:
        raise ValueError(f"{number} is no stream of DLPack's: give None or 1, 2, a handle, or -1 for none")
    return external_stream(1 if number is None else number, device)
