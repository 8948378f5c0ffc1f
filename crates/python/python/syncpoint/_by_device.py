"""What there is one of for each device, made when it is asked for first."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Generic, TypeVar

from . import _native

_T = TypeVar("_T")


class ByDevice(Generic[_T]):
    """One value for each device. It belongs to the device and not to its name: one that is opened anew, in a child of a fork
    say, has another.

    No lock is here that a fork could leave held. Two threads that come first may make one each: which of the two is kept is
    decided by the dictionary, in one step, and both have that one.
    """

    def __init__(self, make: Callable[[_native.Device], _T]) -> None:
        self._make = make
        self._made: dict[_native.Device, _T] = {}
        if hasattr(os, "register_at_fork"):
            # What was made before a fork is the parent's.
            os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        # Another dictionary: as in `_devices`.
        self._made = {}

    def of(self, device: _native.Device) -> _T:
        """The value of a device."""
        made = self._made.get(device)
        return self._made.setdefault(device, self._make(device)) if made is None else made
