"""Points and events to be awaited on the loops of `asyncio`."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

from . import _native
from ._errors import Error
from ._futures import _awaiting, _settle


def _await(awaited: _native.Point | _native.Event) -> Generator[Any, None, None]:
    """What `await` of a point or an event does, on the loop that runs on this thread: here it is asked for, so that an
    event is awaited as it was recorded last."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def told(failure: Error | None) -> None:
        try:
            loop.call_soon_threadsafe(_settle, future, failure)
        except RuntimeError:
            # The loop is closed: nobody awaits any more.
            pass

    _awaiting.add(told)
    return _until_settled(future, awaited.add_done_callback(told))


def _until_settled(
    future: asyncio.Future[None], notification: _native.Notification
) -> Generator[Any, None, None]:
    try:
        yield from future
    finally:
        # A task that was cancelled leaves nothing behind.
        notification.cancel()
