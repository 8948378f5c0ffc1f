"""Pipelines from Python: a run, its report, and its picture for notebooks."""

from __future__ import annotations

import json
import os
from typing import Any

from . import _native
from ._lanes import picture


class Run:
    """What became of a pipeline. `repr` is the report that the program prints; a notebook shows its lanes.

    >>> import io, syncpoint
    >>> text = '[[stream]]\\nname = "a"\\n[[step]]\\nname = "rest"\\nstream = "a"\\ndelay = "1 ms"\\n'
    >>> pipeline = io.StringIO(text)
    >>> run = syncpoint.run(pipeline, timeout=10)
    >>> run.verdict, [step["name"] for step in run.data["steps"]]
    ('complete', ['rest'])
    """

    #: The report as `syncpoint run --json` writes it: times in nanoseconds from the begin of the run.
    data: dict[str, Any]
    #: The report as `syncpoint run` prints it.
    text: str

    def __init__(self, data: dict[str, Any], text: str) -> None:
        self.data = data
        self.text = text

    @property
    def verdict(self) -> str:
        """How it ended: `complete`, `failed`, `unfinished`, `timed_out` or `interrupted`.

        >>> import io, syncpoint
        >>> text = '[[stream]]\\nname = "a"\\n[[step]]\\nname = "rest"\\nstream = "a"\\ndelay = "1 ms"\\n'
        >>> syncpoint.run(io.StringIO(text), timeout=10).verdict
        'complete'
        """
        return str(self.data["verdict"])

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return picture(self.data)


def run(file: str | os.PathLike[str] | Any, *, device: str = "host:0", timeout: float | None = None) -> Run:
    """Carries out the pipeline of a file (or of what has `read()`), and gives what became of it. A step that fails is no
    error: it is in the report, with all that depended on it. What no step names goes to `device`; after `timeout` seconds
    the run is ended, and so it is by Ctrl-C: nothing is begun any more, and a fill, a copy or a delay that the device is in the
    middle of goes on to its end.

    Raises `ValueError` with every fault of the file, at its line, before anything runs, and `OSError` where it cannot be read.

    >>> import io, syncpoint
    >>> syncpoint.run(io.StringIO('[[step]]\\nname = "rest"\\ndelay = "1 ms"\\n'))
    Traceback (most recent call last):
    ...
    ValueError: <pipeline>:1: step "rest" has no stream; ...
    """
    if hasattr(file, "read"):
        name, text = str(getattr(file, "name", "<pipeline>")), file.read()
    else:
        name = os.fspath(file)
        with open(name, encoding="utf-8") as opened:
            text = opened.read()
    report, words = _native.run(text, name, device, timeout)
    return Run(json.loads(report), words)
