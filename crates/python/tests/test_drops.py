"""The end of an object may enter a driver: it is without the interpreter's lock, so that no other thread waits for that."""

import pytest
from child import on_stand_in, told_on_stand_in

DROPS = """
import ctypes, gc, os, threading
import syncpoint
from syncpoint import cuda

driver = ctypes.CDLL(os.environ["SYNCPOINT_CUDA_LIBRARY"])
device = syncpoint.open("cuda:0")

def recorded(event):
    stream = device.stream()
    event.record(stream)
    event.synchronize(timeout=20)
    return event

def point():
    made = device.stream().record()
    made.synchronize(timeout=20)
    return made

def several(): return [device.stream().record() for _ in range(3)]

def pool():
    made = syncpoint.EventPool("cuda")
    for _ in range(3):
        made.record(made.acquire(enable_timing=True))
    device.synchronize(timeout=20)
    return made

def ring():
    made = syncpoint.SharedStreams("cuda")
    for _ in range(3): made.next()
    return made

def buffer():
    made, stream = device.buffer(8), device.stream()
    stream.fill(made, 1); stream.synchronize(timeout=20)
    return made

def notification():
    stream, told = device.stream(), threading.Event()
    made = stream.record().add_done_callback(lambda failure: told.set())
    assert told.wait(20)
    return made

MAKES = {
    "stream": device.stream,
    "event": lambda: recorded(syncpoint.Event("cuda:0", enable_timing=True)),
    "cuda.Event": lambda: recorded(cuda.Event(enable_timing=True)),
    "external": lambda: recorded(cuda.Event(external=True)),
    "interprocess": lambda: recorded(cuda.Event(interprocess=True)),
    "point": point, "pool": pool, "ring": ring, "buffer": buffer, "notification": notification,
    "host buffer": lambda: device.host_buffer(8),
    "device": lambda: syncpoint.as_stream(type("Theirs", (), {"__cuda_stream__": lambda self: (0, 1)})()),
}

made = {name: MAKES[name]() for name in MAKES}
points = several()
ENDS = [b"cuStreamDestroy_v2", b"cuEventDestroy_v2", b"cuMemFree_v2", b"cuMemFreeHost", b"cuStreamQuery", b"cuEventQuery",
        b"cuMemFreeAsync", b"cuMemHostUnregister", b"cuStreamSynchronize", b"cuDevicePrimaryCtxRelease_v2"]
for end in ENDS:
    assert driver.syncpointFakeScript(b"block " + end + b" *") == 0, end

# Whoever drops what others need too would otherwise keep the whole program standing.
def drops():
    for name in list(made):
        held.append(name)
        made.pop(name)
        gc.collect()
    syncpoint.wait_all(points, timeout=20)
    points.clear()

held = []
thread = threading.Thread(target=drops, daemon=True)
thread.start()
for _ in range(200):
    if not thread.is_alive():
        break
    thread.join(0.01)
    # This thread runs, wherever the other is.
assert driver.syncpointFakeScript(b"release") == 0
thread.join(20)
assert not thread.is_alive(), held
print("ok")
"""


@on_stand_in
def test_no_thread_waits_for_the_end_of_anything_in_the_driver():
    assert told_on_stand_in(DROPS) == "ok\n"
