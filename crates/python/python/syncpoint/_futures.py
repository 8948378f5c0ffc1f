"""Points and work as futures of `concurrent.futures`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from threading import Condition
from typing import TYPE_CHECKING, Any, TypeVar, Union
from weakref import WeakSet

from . import _native
from ._errors import Error, _again, _made

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
        self._is_quiet = False
        _pending.add(self)

    def _claimed(self) -> bool:
        """Whether the caller is the one who is to tell the result, and it was not cancelled."""
        try:
            self._turn.pop()
        except IndexError:
            return False
        return self.set_running_or_notify_cancel()

    def _fail_quietly(self, failure: Error) -> None:
        """Fails it; who waits for it is told, and its callbacks are not."""
        self._is_quiet = True
        self.set_exception(failure)
        self._is_quiet = False

    def _invoke_callbacks(self) -> None:
        if not self._is_quiet:
            super()._invoke_callbacks()  # type: ignore[misc]

    def _leave(self) -> None:
        """In a child of a fork: fails it without its callbacks, which are the parent's, and without its locks, which a thread
        of the parent may have held."""
        self._condition, self._waiters = Condition(), []
        if not self.done():
            self._turn.clear()
            self._done_callbacks: list[Callable[[Future[Any]], object]] = []
            self.set_exception(_made("unavailable", 2, _INHERITED, None, None, None, None))


_INHERITED = "the future was made before this process was forked, and is the parent's; give the work to a stream of this process"


def _fail_all(failure: Error) -> None:
    """Tells everybody who is still to be told: nobody else will. Callbacks are called once all have been told, since one may
    wait for another."""
    failed = [future for future in _taken(_pending) if future._claimed()]
    for future in failed:
        future._fail_quietly(_again(failure))
    for told in _taken(_awaiting):
        told(_again(failure))
    raised: BaseException | None = None
    for future in failed:
        try:
            future._invoke_callbacks()
        except BaseException as failure:  # what is no `Exception`: the others are called all the same
            raised = raised or failure
    if raised is not None:
        raise raised


def _leave_all() -> None:
    """In a child of a fork: what the parent is to be told nobody here is."""
    _awaiting.clear()
    for future in _taken(_pending):
        future._leave()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_all)


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
