"""Which backend `syncpoint.cuda` runs on, its devices as torch takes them, and how their absence is told."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from .. import _devices, _native
from .._devices import DeviceLike
from .._errors import UnavailableError, _worded

_P = ParamSpec("_P")
_R = TypeVar("_R")

_NO_DRIVER = (
    "Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and installed a driver from "
    "http://www.nvidia.com/Download/index.aspx"
)

_FORKED = (
    "Cannot re-initialize CUDA in forked subprocess. To use CUDA with multiprocessing, you must use the 'spawn' start method"
)


def backend() -> str:
    """The backend that was chosen to be the default, or CUDA."""
    return _devices._default or "cuda"


def index_of(device: DeviceLike) -> int | None:
    """The number of a device, which is one of CUDA or of the backend that stands in for it; `None` of the current one."""
    index: int | None
    if device is None:
        return None
    if isinstance(device, _native.Device):
        kind, index = device.type, device.index
    else:
        given = device if isinstance(device, str) else getattr(device, "type", "cuda")
        kind, index = _devices.named(device, "cuda")
        # It is what a host is called where it is not meant to stand in for a GPU.
        kind = "cpu" if given.partition(":")[0] == "cpu" else kind
    if kind not in ("cuda", backend()):
        raise ValueError(f"Expected a cuda device, but got: {_told(device)}")
    return index


def _told(device: DeviceLike) -> str:
    if isinstance(device, str) or device is None or isinstance(device, (int, _native.Device)):
        return str(device)
    return device.type if device.index is None else f"{device.type}:{device.index}"


def device(given: DeviceLike = None) -> _native.Device:
    """The device that is meant."""
    return _devices.opened(backend(), index_of(given))


def present(text: str = _NO_DRIVER) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Tells in torch's words that there is no device; what was searched is told as the cause."""

    def told(function: Callable[_P, _R]) -> Callable[_P, _R]:
        @functools.wraps(function)
        def call(*arguments: _P.args, **keywords: _P.kwargs) -> _R:
            try:
                return function(*arguments, **keywords)
            except UnavailableError as refused:
                tell(refused, text)
                raise

        return call

    return told


def told(refused: BaseException) -> BaseException:
    """A refusal of a call, as those that are `present` tell it."""
    try:
        if isinstance(refused, UnavailableError):
            tell(refused, _NO_DRIVER)
    except UnavailableError as worded:
        return worded
    return refused


def tell(refused: UnavailableError, text: str) -> None:
    """Raises in torch's words that there is no device, or that its driver stayed with the parent of a fork. Any other refusal
    stays what it is."""
    if refused._missing == "absent":
        raise _worded(refused, text) from refused
    if refused._missing == "forked" and backend() == "cuda":
        raise _worded(refused, _FORKED) from refused
