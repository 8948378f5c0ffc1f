"""What goes wrong, by what to do about it. Every class is an `Error`, and a `RuntimeError`, which is what torch raises."""

from __future__ import annotations

from typing import Literal


class Error(RuntimeError):
    """A call that was refused, or work that failed. The message says what was asked, of which object, and the remedy; the class
    says what to do. `docs/errors.md` tells them all.

    `kind` and `number` name it as Rust does. `reason` is which misuse it was, `code` the driver's own number and name,
    `origin` the operation in which it began, with its place in the source, `report` who waited for whom where a wait ran out,
    and `index` the place of the one that failed of several that `wait_any` was given; each is `None` where there is none.

    >>> import syncpoint
    >>> try:
    ...     syncpoint.Stream("sim:99")
    ... except syncpoint.Error as refused:
    ...     print(type(refused).__name__, refused.kind, refused.reason, sep=", ")
    MisuseError, misuse, out of range
    """

    #: The kind, by the name that messages have in Rust too.
    kind: str = ""
    #: The kind's number, the same in Rust; 0 for an error that was made by hand.
    number: int = 0
    #: Which misuse it was; `None` for every other kind.
    reason: str | None = None
    #: The driver's own number and name.
    code: tuple[int, str] | None = None
    #: The operation in which it began, with its stream and its place in the source.
    origin: str | None = None
    #: Who waited for whom, where a wait ran out.
    report: str | None = None
    #: Of several that were waited for, the place of the one that failed.
    index: int | None = None
    #: Where a driver cannot begin: whether it is `"absent"`, or was begun before a fork and stayed with the parent.
    _missing: Literal["absent", "forked"] | None = None


class MisuseError(Error):
    """Fix the code: the call can never succeed as it stands. `reason` says which misuse it was.

    >>> import syncpoint
    >>> gate = syncpoint.Gate()
    >>> gate.open()
    >>> try:
    ...     gate.open()
    ... except syncpoint.MisuseError as refused:
    ...     print(refused.reason)
    gate used
    """


class UnavailableError(Error):
    """Do without, or make it available: the message says what was searched.

    >>> import syncpoint
    >>> def device():
    ...     try:
    ...         return syncpoint.open("cuda:0")
    ...     except syncpoint.UnavailableError:
    ...         return syncpoint.open("host:0")
    >>> device().type in ("cuda", "host")
    True
    """


class UnsupportedError(Error, NotImplementedError):
    """Ask `capabilities` first: this device cannot do it, and the message names the remedy. It is a `NotImplementedError` too.

    >>> import syncpoint
    >>> syncpoint.capabilities("host").native_handle
    False
    >>> syncpoint.Stream("host").native_handle
    Traceback (most recent call last):
    ...
    syncpoint.UnsupportedError: host backend doesn't support getting stream native handle.
    """


class TimedOutError(Error, TimeoutError):
    """Nothing changed: wait again, or act on the `report`, which tells who waits for whom. It is a `TimeoutError` too.

    >>> import syncpoint
    >>> gate = syncpoint.Gate("the weights")
    >>> try:
    ...     gate.point.synchronize(timeout=0.001)
    ... except TimeoutError as late:
    ...     print("the weights" in late.report)
    True
    """


class ExhaustedError(Error, MemoryError):
    """Try again later or ask for less: a bound was reached. It is a `MemoryError` too.

    >>> import syncpoint
    >>> try:
    ...     syncpoint.open("host:0").buffer(2**62)
    ... except MemoryError as refused:
    ...     print(refused.kind)
    exhausted
    """


class FailedError(Error):
    """Do not use the result: earlier work failed, and the error tells the first cause, with its `origin`. `Stream.recover` ends
    the failure of a stream.

    >>> import syncpoint
    >>> stream = syncpoint.Stream("host")
    >>> work = stream.enqueue(int, "three")
    >>> try:
    ...     stream.synchronize(timeout=10)
    ... except syncpoint.FailedError as failure:
    ...     print("'three'" in str(failure), failure.origin.split(" at ")[0].startswith("enqueue on stream"))
    True True
    >>> stream.recover() is not None
    True
    """


class DeviceLostError(Error):
    """The device is lost, and everything on it that was not seen complete. Its name gives another from then on, opened anew;
    where the driver has lost it to the whole process, as CUDA's does by a fault of a kernel, this is raised once more: go on
    in another process.

    >>> import syncpoint
    >>> def checked(stream):
    ...     try:
    ...         stream.synchronize(timeout=10)
    ...     except syncpoint.DeviceLostError:
    ...         return syncpoint.open(stream.device.name).stream()
    ...     return stream
    >>> stream = syncpoint.Stream("host")
    >>> checked(stream) is stream
    True
    """


class DriverError(Error):
    """The driver refused in its own words: look at the `code`, its number and its name.

    >>> import syncpoint
    >>> issubclass(syncpoint.DriverError, syncpoint.Error), syncpoint.DriverError("by hand").code
    (True, None)
    """


_CLASSES = {
    "misuse": MisuseError,
    "unavailable": UnavailableError,
    "unsupported": UnsupportedError,
    "timed out": TimedOutError,
    "exhausted": ExhaustedError,
    "failed": FailedError,
    "device lost": DeviceLostError,
    "driver": DriverError,
}


for _class in (Error, *_CLASSES.values()):
    # What tracebacks and pickles call them, and users catch.
    _class.__module__ = "syncpoint"


def _made(
    kind: str,
    number: int,
    message: str,
    reason: str | None,
    code: tuple[int, str] | None,
    origin: str | None,
    report: str | None,
) -> Error:
    error = _CLASSES[kind](message)
    error.kind, error.number, error.reason = kind, number, reason
    error.code, error.origin, error.report = code, origin, report
    return error


def _again(error: Error) -> Error:
    """The same error as another exception: each has the traceback of its own wait."""
    return _worded(error, str(error))


def _worded(error: Error, text: str) -> Error:
    """The same error in other words."""
    worded = _made(error.kind, error.number, text, error.reason, error.code, error.origin, error.report)
    worded.index, worded._missing = error.index, error._missing
    return worded
