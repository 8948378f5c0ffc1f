"""What calls of the package take on the host, beside what Python programs use instead, in one run.

python crates/python/benches/beside.py, in an environment in which `pip install .` was done; what else is not installed (PyPI has
`iree-base-runtime`; torch, CuPy and cuda.core need a GPU) is left out, and says so. Each row is the least of many rounds: what
the call takes where nothing disturbs it. The empty call at the top is in every row.
"""

import asyncio
import threading
import time

import syncpoint

TIMES, ROUNDS = 1000, 41


def least(call, settle=lambda: None):
    """The shortest round, in nanoseconds a call."""
    rounds = []
    for _ in range(ROUNDS):
        begin = time.perf_counter_ns()
        for _ in range(TIMES):
            call()
        rounds.append((time.perf_counter_ns() - begin) / TIMES)
        settle()
    return min(rounds)


def row(library, what, call, settle=lambda: None):
    print(f"{library:<22}{what:<28}{least(call, settle):>8.0f} ns", flush=True)


def ours():
    device = syncpoint.open("host:0")
    stream, other, event, pool = device.stream(), device.stream(), syncpoint.Event(), syncpoint.EventPool()

    def settle():
        stream.synchronize()
        other.synchronize()

    row("syncpoint", "record on a stream", lambda: event.record(stream), settle)
    row("syncpoint", "record on the current one", event.record, syncpoint.synchronize)
    row("syncpoint", "query of a complete one", event.query)
    row("syncpoint", "wait, left out", lambda: event.wait(other), settle)
    gate = syncpoint.Gate()
    stream.wait(gate.point)
    event.record(stream)
    row("syncpoint", "query of a pending one", event.query)
    row("syncpoint", "wait, kept once", lambda: event.wait(other))
    gate.open()
    settle()
    row("syncpoint", "synchronize, complete", event.synchronize)
    row("syncpoint", "an event from the pool", pool.event)
    row("syncpoint", "a new event", syncpoint.Event)


def threads():
    event = threading.Event()
    row("threading.Event", "a new one", threading.Event)
    row("threading.Event", "set", event.set)
    row("threading.Event", "is_set", event.is_set)
    row("threading.Event", "wait, set", event.wait)


def tasks():
    event = asyncio.Event()
    row("asyncio.Event", "a new one", asyncio.Event)
    row("asyncio.Event", "set", event.set)
    row("asyncio.Event", "is_set", event.is_set)


def iree():
    import iree.runtime

    device = iree.runtime.get_driver("local-task").create_default_device()
    semaphore = device.create_semaphore(0)
    values = iter(range(1, 10**9))
    row("IREE's semaphore", "a new one", lambda: device.create_semaphore(0))
    row("IREE's semaphore", "signal of the next value", lambda: semaphore.signal(next(values)))
    row("IREE's semaphore", "query", semaphore.query)


def torch():
    import torch

    stream, other, event = torch.cuda.Stream(), torch.cuda.Stream(), torch.cuda.Event()
    row("torch.cuda.Event", "record on a stream", lambda: event.record(stream), torch.cuda.synchronize)
    row("torch.cuda.Event", "query of a complete one", event.query)
    row("torch.cuda.Event", "wait", lambda: event.wait(other), torch.cuda.synchronize)
    row("torch.cuda.Event", "a new one", torch.cuda.Event)


def main():
    row("", "the empty call", lambda: None)
    for rows in (ours, threads, tasks, iree, torch):
        try:
            rows()
        except Exception as missing:
            print(f"{rows.__name__}: left out, for {type(missing).__name__}: {missing}")


if __name__ == "__main__":
    main()
