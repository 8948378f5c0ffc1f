"""`Event` as `torch.mps.event` has it.

>>> import syncpoint
>>> syncpoint.mps.event.Event is syncpoint.mps.Event
True
"""

from __future__ import annotations

from . import _table

__all__ = ["Event"]


class Event:
    """An event of MPS, or of the backend that stands in for it: `torch.mps.Event`. It has a number from the beginning, and
    gives it back when it is dropped.

    Raises `UnavailableError` where there is no MPS and no default backend. It is recorded and waited for on the default
    stream only, as with torch; `syncpoint.Event` goes anywhere.

    >>> import syncpoint
    >>> syncpoint.set_default_backend("host")
    >>> start, end = (syncpoint.mps.Event(enable_timing=True) for _ in range(2))
    >>> start.query()
    False
    >>> start.record(); end.record()
    >>> start.elapsed_time(end) >= 0
    True
    """

    def __init__(self, enable_timing: bool = False) -> None:
        self.__pool, self.__eventId = _table.acquired(enable_timing)

    def __del__(self) -> None:
        pool = self.__dict__.get("_Event__pool")
        if pool is None:
            return
        try:
            pool.release(self.__eventId)
        except RuntimeError:
            # It was released by its number.
            pass

    def __reduce__(self) -> str:
        # A copy would have the same number, and two would give it back.
        raise TypeError("cannot pickle 'Event' object")

    def record(self) -> None:
        """Records the end of what the default stream was given so far.

        Raises `NotImplementedError` where another stream is current.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> event = syncpoint.mps.Event()
        >>> with syncpoint.mps.stream(syncpoint.mps.Stream()):
        ...     event.record()
        Traceback (most recent call last):
        ...
        NotImplementedError: Non-default streams are not yet supported.
        >>> event.record()
        """
        self.__pool.record(self.__eventId, _table.default_of(self.__pool))

    def wait(self) -> None:
        """What the default stream is given from now on waits for the latest record; nothing where there is none. This thread does
        not wait.

        Raises `NotImplementedError` where another stream is current, and the failure of a stream that would have to wait and
        has failed.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> event = syncpoint.mps.Event()
        >>> event.record(); event.wait()
        >>> syncpoint.mps.synchronize(timeout=10)
        """
        self.__pool.wait(self.__eventId, _table.default_of(self.__pool))

    def query(self) -> bool:
        """Whether it was recorded and is complete: false where it was never recorded, unlike other events. Does not wait. Raises
        the failure of the stream.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> syncpoint.mps.Event().query(), syncpoint.Event().query()
        (False, True)
        """
        return self.__pool.query(self.__eventId)

    def synchronize(self, timeout: float | None = None) -> None:
        """Waits on this thread for the latest record, at most `timeout` seconds; returns at once where there is none. Ctrl-C ends
        the wait and nothing else.

        Raises `TimedOutError` with the report of who waits for whom, and the failure of the stream.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> event = syncpoint.mps.Event()
        >>> event.record()
        >>> event.synchronize(timeout=10)
        >>> event.query()
        True
        """
        self.__pool.synchronize(self.__eventId, timeout)

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds from this event to `end_event`. It waits for both.

        Raises `RuntimeError` where either was made without `enable_timing` or never recorded, or the end came first, and
        `FailedError` where the work of either has failed.

        >>> import syncpoint
        >>> syncpoint.set_default_backend("host")
        >>> start, end = (syncpoint.mps.Event(enable_timing=True) for _ in range(2))
        >>> start.record(); syncpoint.mps.default_stream().delay(0.002); end.record()
        >>> start.elapsed_time(end) >= 1
        True
        """
        return _table.elapsed(self.__pool, self.__eventId, end_event.__eventId)
