"""The end of the process: functions of Python's that run on threads of ours are waited for, and the others are told."""

from __future__ import annotations

import atexit
import ctypes
import os
import signal
import sys

from . import _futures, _native

#: What a shell tells of a program that Ctrl-C has ended.
_INTERRUPTED = 130


def _end() -> None:
    """No function is begun any more, and those that run are waited for, as `concurrent.futures` does. Ctrl-C interrupts
    them, and once more ends the process at once: to leave them behind would abort it."""
    try:
        try:
            _futures._fail_all(_native._end())
        finally:
            # A callback may have raised `SystemExit`.
            _rest()
    except KeyboardInterrupt:
        _interrupt()


def _rest() -> None:
    while not _native._rest():
        pass


def _interrupt() -> None:
    try:
        # The first of these may not have come there.
        _native._end()
        for thread in _native._within():
            interrupt = ctypes.py_object(KeyboardInterrupt)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), interrupt)
        _rest()
    except KeyboardInterrupt:
        # Should somebody who is left behind keep a lock of these streams: Ctrl-C again.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(_INTERRUPTED)


def _look() -> None:
    """Nothing; before it the interpreter does what it owes this thread."""


def _begin() -> None:
    atexit.register(_end)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_native._forked)
