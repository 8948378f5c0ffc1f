"""What calls of the package take, beside what Python programs use instead, in one run.

python crates/python/benches/beside.py, in an environment in which `pip install .` was done, and `pip install -r
crates/python/benches/requirements.txt` for IREE's semaphores. torch, CuPy and cuda.core are asked where they and a GPU are, with
`--backend cuda` for ours on the same GPU. What is not there is told in one line.

Each row is a statement as a program has it. All rows are measured in turn, 200 statements at a time, 201 times over; what is
printed is the median of a row, and the median of its ratio to the first row of its table: that one's time over this one's.
`--check` runs every statement a few times instead, to see that it can be run; `--require LIBRARY` fails where that one is not
there.
"""

import argparse
import contextlib
import itertools
import statistics
import sys
import timeit
from dataclasses import dataclass, field

import rivals
import syncpoint

ROUNDS, TIMES = 201, 200

#: Long enough for a machine that others use too; seconds.
LONG = 60

#: In nanoseconds.
CALL, LENT = 1000, 300


@dataclass
class Row:
    """A statement of a library's, and what it took."""

    table: str
    library: str
    statement: str
    names: dict
    settle: object = None
    goal: int | None = None
    within: object = field(default_factory=contextlib.nullcontext)
    took: list = field(default_factory=list)

    def measure(self, times):
        """One sample, in nanoseconds a statement. What the statements left on its way is waited for behind it."""
        with self.within:
            self.took.append(timeit.Timer(self.statement, globals=self.names).timeit(times) / times * 1e9)
        if self.settle is not None:
            self.settle()

    def told(self, first):
        """The line of it."""
        ratio = statistics.median(ours / this for ours, this in zip(first.took, self.took))
        took = statistics.median(self.took)
        goal = "" if self.goal is None else f"  goal {self.goal}: {'met' if took <= self.goal else 'missed'}"
        return f"  {self.library:<24}{self.statement:<31}{took:>8.0f} ns{ratio:>8.2f}{goal}"


class Tables:
    """The rows, by the tables in which they are printed."""

    def __init__(self):
        self.rows = []
        self.missing = []

    def add(self, table, library, statements, names, settle=None, goal=None):
        """A row for each of the statements."""
        for statement in statements:
            self.rows.append(Row(table, library, statement, names, settle, goal))

    def add_within(self, table, library, statement, names, settle, goal):
        """A row of a statement inside `with stream`."""
        told = f"{statement}  # with stream"
        self.rows.append(Row(table, library, told, names, settle, goal, names["stream"]))

    def measure(self, rounds, times):
        """Every row in turn, so that what disturbs the machine disturbs all alike."""
        for _ in range(rounds):
            for row in self.rows:
                row.measure(times)

    def print(self):
        for table, rows in itertools.groupby(sorted(self.rows, key=self._place), key=lambda row: row.table):
            rows = list(rows)
            print(table, *(row.told(rows[0]) for row in rows), "", sep="\n")

    def _place(self, row):
        """Tables in the order of their first rows."""
        return next(place for place, other in enumerate(self.rows) if other.table == row.table)


def settled(*streams):
    """Waits for what streams were given."""
    return lambda: [stream.synchronize(timeout=LONG) for stream in streams]


def ours(tables, device, ended):
    """`syncpoint`'s own classes."""
    stream, event, pool = device.stream(), syncpoint.Event(), syncpoint.EventPool(device)
    event.record(stream)
    names, settle = {"syncpoint": syncpoint, "stream": stream, "event": event, "pool": pool}, settled(stream)
    add = lambda table, library, *statements, goal=None: tables.add(table, library, statements, names, settle, goal)  # noqa: E731
    add("record", "syncpoint.Event", "event.record(stream)", "event.record()", goal=CALL)
    tables.add_within("record", "syncpoint.Event", "event.record()", names, settle, CALL)
    add("record", "syncpoint.Stream", "stream.record_event(event)", "stream.record()", goal=CALL)
    add("query, complete", "syncpoint.Event", "event.query()", goal=CALL)
    add("query, complete", "syncpoint.Stream", "stream.query()", goal=CALL)
    add("wait of a stream, for what is complete", "syncpoint.Event", "event.wait(stream)", "event.wait()", goal=CALL)
    add("wait of a stream, for what is complete", "syncpoint.Stream", "stream.wait_event(event)", goal=CALL)
    add("synchronize, complete", "syncpoint.Event", "event.synchronize()")
    add("make one and drop it", "syncpoint.Event", "syncpoint.Event()")
    add("make one and drop it", "syncpoint.EventPool", "pool.event()", goal=LENT)
    add("make one and drop it", "syncpoint.EventPool", "pool.release(pool.acquire())")
    pending(tables, device, ended)


def pending(tables, device, ended):
    """Events that are not complete, for as long as the run lasts."""
    gate, held, behind, event = syncpoint.Gate(), device.stream(), device.stream(), syncpoint.Event()
    held.wait(gate.point)
    event.record(held)
    ended.callback(settled(held, behind))
    ended.callback(gate.open)
    names = {"stream": behind, "event": event}
    tables.add("query, pending", "syncpoint.Event", ["event.query()"], names, goal=CALL)
    tables.add("wait of a stream, for what is pending", "syncpoint.Event", ["event.wait(stream)"], names, goal=CALL)


def cuda(tables, device, ended):
    """`syncpoint.cuda`, with torch's names."""
    stream, event = syncpoint.cuda.Stream(), syncpoint.cuda.Event()
    parity(tables, "syncpoint.cuda.Event", stream, event, "event.record()", "event.wait()")
    names = {"stream": stream, "event": event}
    tables.add_within("record", "syncpoint.cuda.Event", "event.record()", names, stream.synchronize, CALL)
    tables.add("make one and drop it", "syncpoint.cuda.Event", ["cuda.Event()"], {"cuda": syncpoint.cuda})


def classes(tables, device, ended):
    """`syncpoint.classes.cuda`, with the names of torch's scripts."""
    of = syncpoint.classes.cuda
    parity(tables, "syncpoint.classes.cuda", of.Stream(), of.Event())
    tables.add("make one and drop it", "syncpoint.classes.cuda", ["classes.Event()"], {"classes": of})


def given_out(tables, device, ended):
    """A stream whose handle others have, on a GPU: each record is one call of the driver, as those of others are."""
    stream, event = device.stream(), syncpoint.Event()
    stream.__cuda_stream__()
    event.record(stream)
    names = {"stream": stream, "event": event}
    tables.add("record", "syncpoint, stream given out", ["event.record(stream)"], names, settled(stream), CALL)


def parity(tables, library, stream, event, *current):
    """A layer that takes streams: `current` are the statements that name none."""
    event.record(stream)
    names, settle = {"stream": stream, "event": event}, stream.synchronize
    tables.add("record", library, ["event.record(stream)", *current[:1]], names, settle, CALL)
    tables.add("query, complete", library, ["event.query()"], names, None, CALL)
    waits = ["event.wait(stream)", *current[1:]]
    tables.add("wait of a stream, for what is complete", library, waits, names, settle, CALL)
    tables.add("synchronize, complete", library, ["event.synchronize()"], names)


def mps(tables, device, ended):
    """`syncpoint.mps`, which knows the default stream alone."""
    event, library = syncpoint.mps.Event(), "syncpoint.mps.Event"
    event.record()
    names, settle = {"mps": syncpoint.mps, "event": event}, settled(syncpoint.default_stream(device))
    tables.add("record", library, ["event.record()"], names, settle, CALL)
    tables.add("query, complete", library, ["event.query()"], names, None, CALL)
    tables.add("wait of a stream, for what is complete", library, ["event.wait()"], names, settle, CALL)
    tables.add("synchronize, complete", library, ["event.synchronize()"], names)
    tables.add("make one and drop it", library, ["mps.Event()"], names)


def main():
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--backend", default="host", help="where ours run: host, or cuda beside others on a GPU")
    options.add_argument("--check", action="store_true", help="see that every statement runs, and measure nothing")
    options.add_argument("--require", action="append", default=[], metavar="LIBRARY", help="fail where it is not there")
    given = options.parse_args()
    syncpoint.set_default_backend(given.backend)
    tables = Tables()
    with contextlib.ExitStack() as ended:
        tables.add("nothing", "an empty loop", ["pass"], {})
        for add in (ours, cuda, classes, mps, *([given_out] if given.backend == "cuda" else [])):
            add(tables, syncpoint.open(f"{given.backend}:0"), ended)
        rivals.add(tables)
        tables.measure(*((2, 5) if given.check else (ROUNDS, TIMES)))
    if not given.check:
        tables.print()
    print(*tables.missing, sep="\n")
    if any(line.startswith(f"{library}:") for line in tables.missing for library in given.require):
        sys.exit("a library that is required was left out")


if __name__ == "__main__":
    main()
