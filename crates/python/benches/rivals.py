"""What Python programs use instead of the package: events of the standard library, and of others where they are installed."""

import asyncio
import contextlib
import itertools
import threading

#: What is told of those that need a GPU, where they or it are missing.
NO_GPU = "not yet run on hardware"


def add(tables):
    """Their rows; a line for each library that is not there."""
    threads(tables)
    tasks(tables)
    absent = "left out; pip install iree-base-runtime"
    for rows, name, told in ((iree, "IREE", absent), (torch, "torch", NO_GPU), (cupy, "CuPy", NO_GPU), (core, "cuda.core", NO_GPU)):
        try:
            rows(tables)
        except Absent as missing:
            tables.missing.append(f"{name}: {told} ({missing})")


class Absent(Exception):
    """A library or its GPU is not there."""


@contextlib.contextmanager
def begins():
    """What fails as a library begins is for want of it; whatever fails later is a fault of the bench."""
    try:
        yield
    except Exception as missing:
        raise Absent(f"{type(missing).__name__}: {str(missing).partition(chr(10))[0]}") from missing


def threads(tables):
    event = threading.Event()
    names = {"threading": threading, "event": event}
    event.set()
    standard(tables, "threading.Event", names)
    tables.add("synchronize, complete", "threading.Event", ["event.wait()"], names)
    tables.add("make one and drop it", "threading.Event", ["threading.Event()"], names)


def tasks(tables):
    names = {"asyncio": asyncio, "event": asyncio.Event()}
    names["event"].set()
    standard(tables, "asyncio.Event", names)
    tables.add("make one and drop it", "asyncio.Event", ["asyncio.Event()"], names)


def standard(tables, library, names):
    """What both of the standard library's have."""
    tables.add("record", library, ["event.set()"], names)
    tables.add("query, complete", library, ["event.is_set()"], names)
    unset = {"event": type(names["event"])()}
    tables.add("query, pending", library, ["event.is_set()"], unset)


def iree(tables):
    with begins():
        import iree.runtime

        device = iree.runtime.get_driver("local-task").create_default_device()
    library, names = "IREE's semaphore", {"device": device, "values": itertools.count(1)}
    names["semaphore"], names["complete"] = device.create_semaphore(0), device.create_semaphore(1)
    tables.add("record", library, ["semaphore.signal(next(values))"], names)
    tables.add("query, complete", library, ["complete.query()"], names)
    tables.add("synchronize, complete", library, ["complete.wait(1)"], names)
    tables.add("make one and drop it", library, ["device.create_semaphore(0)"], names)


def torch(tables):
    with begins():
        import torch

        stream, event = torch.cuda.Stream(), torch.cuda.Event()
        event.record(stream)
    names = {"torch": torch, "stream": stream, "event": event}
    gpu(tables, "torch.cuda.Event", names, torch.cuda.synchronize, "event.record(stream)", "event.query()", "event.wait(stream)")
    tables.add("synchronize, complete", "torch.cuda.Event", ["event.synchronize()"], names)
    tables.add("make one and drop it", "torch.cuda.Event", ["torch.cuda.Event()"], names)


def cupy(tables):
    with begins():
        import cupy

        stream, event = cupy.cuda.Stream(non_blocking=True), cupy.cuda.Event(disable_timing=True)
        event.record(stream)
    names = {"cupy": cupy, "stream": stream, "event": event}
    settle = cupy.cuda.Device().synchronize
    gpu(tables, "CuPy's event", names, settle, "event.record(stream)", "event.done", "stream.wait_event(event)")
    tables.add("synchronize, complete", "CuPy's event", ["event.synchronize()"], names)
    tables.add("make one and drop it", "CuPy's event", ["cupy.cuda.Event(disable_timing=True)"], names)


def core(tables):
    with begins():
        from cuda.core import Device

        device = Device()
        device.set_current()
        stream, event = device.create_stream(), device.create_event()
    names = {"device": device, "stream": stream, "event": event}
    stream.record(event)
    gpu(tables, "cuda.core's event", names, stream.sync, "stream.record(event)", "event.is_done", "stream.wait(event)")
    tables.add("synchronize, complete", "cuda.core's event", ["event.sync()"], names)
    tables.add("make one and drop it", "cuda.core's event", ["device.create_event()"], names)


def gpu(tables, library, names, settle, record, query, wait):
    tables.add("record", library, [record], names, settle)
    tables.add("query, complete", library, [query], names)
    tables.add("wait of a stream, for what is complete", library, [wait], names, settle)
