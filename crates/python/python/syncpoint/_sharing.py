"""Events in the messages of `multiprocessing`: one that was made `interprocess` goes to another process, no other does.

An event that was sent is kept, whoever else lets go of it, for whoever takes it in later: the last `_KEPT` of a process are,
until that ends.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler
from multiprocessing.util import Finalize, register_after_fork

from . import _native, cuda

#: How many of the events that were sent are kept. Each is a page of memory and a file of that size.
_KEPT = 512

#: What was sent, by its handle, the latest last.
_sent: OrderedDict[bytes, _native.Event] = OrderedDict()


def _taken_in(kind: type[_native.Event], device: str, handle: bytes) -> _native.Event:
    imported = _native.Event.from_ipc_handle(device, handle)
    native = _native._CudaEvent if issubclass(kind, _native._CudaEvent) else _native.Event
    return native.__new__(kind, imported)


def _reduced(event: _native.Event) -> tuple[Callable[..., _native.Event], tuple[type[_native.Event], str, bytes]]:
    if not event.interprocess:
        raise TypeError(f"cannot pickle {type(event).__name__!r} object")
    handle, device = event._sent_handle(), event.device
    assert device is not None
    _keep(handle, event)
    # Also where it is of another context than the first of its device, which only this process has.
    return _taken_in, (type(event), f"{device.type}:{device.index}", handle)


def _keep(handle: bytes, event: _native.Event) -> None:
    # Another name of it: the sender's own object is not kept.
    _sent.pop(handle, None)
    _sent[handle] = _native.Event.__new__(_native.Event, event)
    while len(_sent) > _KEPT:
        # One step, whoever else takes out or puts in.
        _sent.popitem(last=False)


if hasattr(os, "register_at_fork"):
    # What was sent before a fork is the parent's to keep. Another dictionary: as in `_devices`.
    def _forget() -> None:
        global _sent
        _sent = OrderedDict()

    os.register_at_fork(after_in_child=_forget)


def _end_as_forked(_: object) -> None:
    # A process that `multiprocessing` has forked ends without the interpreter's end. Behind the threads that send what is left.
    Finalize(None, _sent.clear, exitpriority=-10)


register_after_fork(_keep, _end_as_forked)

for _kind in (_native.Event, cuda.Event):
    ForkingPickler.register(_kind, _reduced)
