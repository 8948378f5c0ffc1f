"""Points and work as futures of `concurrent.futures`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar, Union
from weakref import WeakSet

from . import _native
from ._errors import Error

if TYPE_CHECKING:
    import asyncio


def _settle(future: Future[None] | asyncio.Future[None], failure: Error | None) -> None:
    if future.done():
        return
    if failure is None:
        future.set_result(None)
    else:
        future.set_exception(failure)


_Untold = TypeVar("_Untold")

#: What may not have been told yet.
_pending: WeakSet[_Future] = WeakSet()

#: Whoever awaits, and may be told more than once.
_awaiting: WeakSet[Callable[[Error], None]] = WeakSet()


class _Future(Future[Any]):
    """A future that one of several tells."""

    def __init__(self) -> None:
        super().__init__()
        # Whoever takes it out is the one.
        self._turn = [None]
        _pending.add(self)

    def _claimed(self) -> bool:
        """Whether the caller is the one who is to tell the result, and it was not cancelled."""
        try:
            self._turn.pop()
        except IndexError:
            return False
        return self.set_running_or_notify_cancel()


def _fail_all(failure: Error) -> None:
    """Tells everybody who is still to be told: nobody else will."""
    for future in _taken(_pending):
        if future._claimed():
            future.set_exception(failure)
    for told in _taken(_awaiting):
        told(failure)


def _taken(those: WeakSet[_Untold]) -> Iterator[_Untold]:
    """One by one, whatever others put in or take out meanwhile."""
    while True:
        try:
            yield those.pop()
        except KeyError:
            return


def _future(awaited: _native.Point | _native.Event) -> Future[None]:
    """The completion of a point or an event. Cancelling it cancels nothing on the device."""
    future = _Future()

    def told(failure: Error | None) -> None:
        if future._claimed():
            _settle(future, failure)

    notification = awaited.add_done_callback(told)

    def take_back(settled: Future[None]) -> None:
        # Not by its name out there: it is not to hold itself.
        assert isinstance(settled, _Future)
        if settled.cancelled() and notification.cancel():
            # Nobody else tells those who wait for the first of several futures.
            settled._claimed()

    future.add_done_callback(take_back)
    return future


_Work = tuple["Future[Any]", Callable[[], Union[str, None]], Callable[[Error], None]]


def _work(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any] | None) -> _Work:
    """The future of a call, what makes the call, and what tells that it is never made."""
    future = _Future()

    def run() -> str | None:
        return _call(future, function, args, kwargs or {})

    def abandon(failure: Error) -> None:
        if future._claimed():
            future.set_exception(failure)

    return future, run, abandon


def _call(
    future: _Future, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> str | None:
    """Calls it, unless the future was cancelled; gives what the stream fails with."""
    if not future._claimed():
        return None
    try:
        result = function(*args, **kwargs)
    except BaseException as failure:
        future.set_exception(failure)
        # What was raised knows this frame: it is not to know what was raised.
        del future
        return f"{type(failure).__name__}: {failure}"
    future.set_result(result)
    return None
