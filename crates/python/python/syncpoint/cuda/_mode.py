"""The mode that tells of waits for streams, which keep a program from using its device: `set_sync_debug_mode`."""

from __future__ import annotations

import warnings

_MODES = ("default", "warn", "error")
_mode = 0
_TEXT = "called a synchronizing CUDA operation"


def set_sync_debug_mode(debug_mode: int | str) -> None:
    """What a `Stream.synchronize` does beside: `"default"` or 0 nothing, `"warn"` or 1 it warns, `"error"` or 2 it raises
    `RuntimeError`. Waits for events and for whole devices are not minded, as with torch. Of the whole process.

    Raises `RuntimeError` for any other mode.

    >>> import syncpoint.cuda
    >>> syncpoint.cuda.set_sync_debug_mode("warn")
    >>> syncpoint.cuda.get_sync_debug_mode()
    1
    >>> syncpoint.cuda.set_sync_debug_mode(0)
    """
    global _mode
    if debug_mode not in _MODES and debug_mode not in range(len(_MODES)):
        raise RuntimeError("invalid value of debug_mode, expected one of `default`, `warn`, `error`")
    _mode = _MODES.index(debug_mode) if isinstance(debug_mode, str) else debug_mode


def get_sync_debug_mode() -> int:
    """The mode, as a number.

    >>> import syncpoint.cuda
    >>> syncpoint.cuda.get_sync_debug_mode()
    0
    """
    return _mode


def checked() -> None:
    """Tells of a wait for a stream, as the mode says."""
    if _mode == 1:
        warnings.warn(_TEXT, UserWarning, stacklevel=3)
    elif _mode == 2:
        raise RuntimeError(_TEXT)
