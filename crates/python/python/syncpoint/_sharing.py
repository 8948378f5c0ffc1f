"""Events in the messages of `multiprocessing`: one that was made `interprocess` goes to another process, no other does."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler

from . import _native, cuda


def _taken_in(kind: type[_native.Event], device: str, handle: bytes) -> _native.Event:
    return _native.Event.__new__(kind, _native.Event.from_ipc_handle(device, handle))


def _reduced(event: _native.Event) -> tuple[Callable[..., _native.Event], tuple[type[_native.Event], str, bytes]]:
    if not event.interprocess:
        raise TypeError(f"cannot pickle {type(event).__name__!r} object")
    handle = event.ipc_handle()
    device = event.device
    return _taken_in, (type(event), "host:0" if device is None else device.name, handle)


for _kind in (_native.Event, cuda.Event):
    ForkingPickler.register(_kind, _reduced)
