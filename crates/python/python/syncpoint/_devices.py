"""Which device is meant: by name, number or object, or the current one of the backend that is the default."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from . import _current, _native
from ._errors import UnavailableError, _made

_T = TypeVar("_T")

#: The kinds of devices, with the names that torch has for some of them.
_KINDS = {
    "cpu": "host",
    "host": "host",
    "cuda": "cuda",
    "vulkan": "vulkan",
    "metal": "metal",
    "mps": "metal",
    "sim": "sim",
}
_opened: dict[tuple[str, int], _native.Device] = {}


class _Torch(Protocol):
    """A device of torch's, or of whoever has such."""

    type: str
    index: int | None


DeviceLike = _native.Device | _Torch | str | int | None


def _kind(name: str, whole: str) -> str:
    kind = _KINDS.get(name)
    if kind is None:
        kinds = ", ".join(_KINDS)
        raise RuntimeError(f"Expected one of {kinds} device type at start of device string: {whole}")
    return kind


def set_default_backend(name: str | None) -> None:
    """Makes a backend the one whose devices are meant where no other is named, in the whole process: `"host"`, `"cuda"`,
    `"vulkan"`, `"metal"` or `"sim"`. `syncpoint.cuda` and `syncpoint.mps` use it instead of their own, so that code written
    for a GPU is tried on the host. `None` takes that back. The environment variable `SYNCPOINT_DEFAULT_BACKEND` is what
    it is in the beginning.

    Raises `RuntimeError` where there is no such backend.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("sim")
    >>> syncpoint.Stream().device
    syncpoint.open("sim:0")
    >>> syncpoint.set_default_backend(None)
    """
    global _default
    _default = None if name is None else _kind(name, name)


def default_backend() -> str | None:
    """The backend that `set_default_backend` or the environment has chosen; `None` where neither has: then a device of the
    host is meant where none is named.

    >>> import syncpoint
    >>> before = syncpoint.default_backend()
    >>> syncpoint.set_default_backend(None)
    >>> print(syncpoint.default_backend())
    None
    >>> syncpoint.set_default_backend(before)
    """
    return _default


_default: str | None = None
set_default_backend(os.environ.get("SYNCPOINT_DEFAULT_BACKEND") or None)


def parsed(device: str) -> tuple[str, int | None]:
    """The kind of device, and the index where one is named."""
    kind, colon, index = device.partition(":")
    if colon and not index.isdecimal():
        raise RuntimeError(f"Invalid device string: '{device}'")
    return _kind(kind, device), int(index) if colon else None


def opened(kind: str, index: int | None = None) -> _native.Device:
    """The device of a kind with an index, or the current one of this thread and task. One that is lost is opened anew."""
    number = _current.index(kind) if index is None else index
    device = _opened.get((kind, number))
    if device is None or device._is_spent:
        device = _opened[kind, number] = _open(kind, number)
    return device


def current_name(kind: str | None) -> str:
    """The name of the device that is the current one of a kind, of the default backend's where none is named. Opens none."""
    kind = kind or _default or "host"
    return f"{kind}:{_current.index(kind)}"


def known(device: _native.Device) -> _native.Device:
    """The object that stands for a device whenever its name is given, where there is one: it is compared at a glance."""
    opened = _opened.get((device.type, device.index))
    return opened if opened is not None and opened == device else device


def _open(kind: str, index: int) -> _native.Device:
    if index:
        _check(kind, index, _begun(_native._device_count, kind))
    return _begun(_native.open, f"{kind}:{index}")


def _check(kind: str, index: int, count: int) -> None:
    """Refuses an index that none of so many devices has."""
    if not count:
        # That there is none at all says more than that there is no such one.
        _begun(_native.open, f"{kind}:0")
    if not 0 <= index < count:
        text = f"Device index value {index} is out of index range [0, {count})"
        raise _made("misuse", 1, text, "out of range", None, None, None)


def _begun(call: Callable[[str], _T], argument: str) -> _T:
    """Makes a call that begins a driver; a refusal knows whether the driver is not there or is another process's."""
    try:
        return call(argument)
    except UnavailableError as refused:
        refused._missing = "forked" if "this process was forked" in str(refused) else "absent"
        raise
    except NotImplementedError as elsewhere:
        if argument.partition(":")[0] != "metal":
            raise
        # It is of another system: to whoever asks it is not there, as any other is.
        absent = _made("unavailable", 2, str(elsewhere), None, None, None, None)
        absent._missing = "absent"
        raise absent from elsewhere


def counted(kind: str) -> int:
    """How many devices of a kind there are; 0 where they are not there. Raises whatever else keeps them from being counted:
    `UnavailableError` in a child whose parent had begun the driver."""
    try:
        return _begun(_native._device_count, kind)
    except UnavailableError as refused:
        if refused._missing != "absent":
            raise
        return 0


def named(device: DeviceLike, backend: str) -> tuple[str, int | None]:
    """The kind and the index that are meant, of `backend` where neither is named."""
    if device is None:
        return backend, None
    if isinstance(device, str):
        return parsed(device)
    if isinstance(device, int):
        return backend, device
    kind: Any = getattr(device, "type", None)
    if not isinstance(kind, str):
        given = type(device).__name__
        raise TypeError(f"a device is a name, a number, a Device or None, and not {given}; give \"cuda:0\", say")
    return _kind(kind, kind), device.index


def resolved(device: DeviceLike = None) -> _native.Device:
    """The device that is meant."""
    if isinstance(device, _native.Device):
        return device
    return opened(_default or "host") if device is None else opened(*named(device, _default or "host"))


def of_event(device: DeviceLike) -> _native.Device | str:
    """The device that an event is for, or only its kind, where no number is named."""
    if isinstance(device, _native.Device):
        return device
    if isinstance(device, str) and (device, 0) in _opened:
        return device
    kind, index = named(device, _default or "host")
    found = opened(kind, index)
    return kind if index is None else found


def of_stream(device: DeviceLike) -> _native.Device:
    """The device that a stream is made on."""
    if isinstance(device, _native.Device):
        return device
    return opened(*named(device, _default or "host"))


def synchronize(device: DeviceLike = None, timeout: float | None = None) -> None:
    """Waits on this thread until all that the streams of a device were given so far is complete; `timeout` in seconds.

    Raises `TimedOutError` with the report of who waits for whom, `FailedError` where a stream has failed, `ValueError` for a
    timeout that is no time, and as `default_stream` does. Ctrl-C ends the wait and nothing else.

    >>> import syncpoint
    >>> syncpoint.synchronize("host", timeout=10)
    """
    resolved(device).synchronize(timeout)


def capabilities(device: DeviceLike = None) -> _native.Capabilities:
    """What a device can do. Raises as `default_stream` does.

    >>> import syncpoint
    >>> syncpoint.capabilities("host").timing
    True
    """
    return resolved(device).capabilities


if hasattr(os, "register_at_fork"):
    # What was opened before a fork is the parent's. Another dictionary: a thread of the parent may have had the lock that an
    # interpreter without the lock of its own has for each.
    def _forget() -> None:
        global _opened
        _opened = {}

    os.register_at_fork(after_in_child=_forget)
