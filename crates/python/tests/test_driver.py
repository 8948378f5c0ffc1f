"""The driver and the interpreter's lock: what enters the driver leaves the lock, and what need not enter it does not."""

import pytest
from child import on_stand_in, told_on_stand_in

DRIVER = """
import ctypes, gc, os, sys, threading

driver = ctypes.CDLL(os.environ["SYNCPOINT_CUDA_LIBRARY"])
driver.syncpointFakeCount.restype = ctypes.c_uint64

driver.syncpointFakeHeld.restype = ctypes.c_uint64

def asked(name="*"):
    return driver.syncpointFakeCount(name.encode())
"""

IMPORTED = DRIVER + """
import syncpoint
import syncpoint.classes.cuda, syncpoint.cuda.streams, syncpoint.mps.event
assert syncpoint.default_backend() is None
syncpoint.Stream("host").record_event().synchronize(timeout=20)
print(asked())
"""


@on_stand_in
def test_neither_the_import_nor_the_host_enters_the_driver():
    assert told_on_stand_in(IMPORTED) == "0\n"


QUIET = DRIVER + """
import syncpoint
from syncpoint import cuda

device, stream = syncpoint.open("cuda:0"), cuda.Stream()
events = [cuda.Event(), cuda.Event(enable_timing=True), syncpoint.Event("cuda"), cuda.Event(interprocess=True)]
for event in events:
    event.record(stream)
point = stream.record()
device.synchronize(timeout=20)
stream.cuda_stream
cuda.default_stream()
def looks():
    for event in events:
        assert repr(event) and event.event_id and event.device and event.query() and event.interprocess is not None
        event.synchronize(timeout=20)
    assert repr(stream) and repr(point) and repr(device) and hash(stream) and stream == cuda.Stream(stream_id=stream.stream_id)
    assert point.query() and stream.stream_id and stream.priority is not None and stream.is_shared and stream.mode
    assert cuda.current_device() == 0 and cuda.current_stream() == cuda.default_stream() != stream
    with cuda.stream(stream), cuda.device(0):
        pass
    cuda.Event(), syncpoint.Event("cuda"), cuda.Event(enable_timing=True).query()

# A thread of ours may end what is over meanwhile: a look that enters the driver itself does so each time.
for _ in range(50):
    before = asked()
    looks()
    if asked() == before:
        break
print(asked() - before)
"""


@on_stand_in
def test_no_driver_is_entered_for_what_is_known():
    assert told_on_stand_in(QUIET) == "0\n"


HELD = DRIVER + """
import syncpoint
from syncpoint import cuda

device, stream, own = syncpoint.open("cuda:0"), cuda.Stream(), syncpoint.Stream("cuda")
event, timed, external = cuda.Event(), cuda.Event(enable_timing=True), syncpoint.Event("cuda:0", external=True)
for each in (event, timed, external):
    each.record(stream)
handle, memory = stream.cuda_stream, device.host_buffer(64)
device.synchronize(timeout=20)
ends = [[cuda.Event(), syncpoint.Stream("cuda"), device.buffer(8)] for _ in range(3)]
for made in ends:
    made[0].record(stream)
device.synchronize(timeout=20)
gc.collect()

timed = [cuda.Event(enable_timing=True) for _ in range(2)]
for each in timed:
    each.record(stream)
gate, held = syncpoint.Gate(), syncpoint.Stream("cuda")
pool, ring = syncpoint.EventPool("cuda"), syncpoint.SharedStreams("cuda")
numbers = [pool.acquire(enable_timing=True) for _ in range(3)]
for number in numbers:
    pool.record(number, stream)
for _ in range(8):
    ring.next().record()
kept = {
    "point": stream.record(),
    "notification": stream.record().add_done_callback(lambda failure: None),
    "pinned memory": device.host_buffer(8),
    "interprocess": cuda.Event(interprocess=True),
    "taken in": syncpoint.as_stream(type("Theirs", (), {"__cuda_stream__": lambda self: (0, 1)})()),
}
kept["interprocess"].record(stream)
device.synchronize(timeout=20)
gc.collect()
held.wait(gate.point)
held.fill(device.buffer(8), 1)

def drops(place):
    for made in ends:
        made[place] = None

assert driver.syncpointFakeScript(b"block * *") == 0
done = []

def calls():
    PR_SET_NAME = 15
    assert ctypes.CDLL(None).prctl(PR_SET_NAME, b"calls") == 0
    done.append(CALL)

thread = threading.Thread(target=calls, daemon=True)
thread.start()
# Here is the lock: whoever has entered the driver, where all calls are held up, has let go of it.
while not driver.syncpointFakeHeld(b"calls") and not done:
    pass
assert not done or DEFERRED
assert driver.syncpointFakeScript(b"release") == 0
thread.join(20)
assert done
print("ok")
"""


def held(call, deferred):
    """The program of a call that enters the driver; or leaves that to a thread of ours, where it is an end."""
    return HELD.replace("CALL", call).replace("DEFERRED", str(deferred))


CALLS = {
    "record": "event.record(stream)",
    "record of another stream": "cuda.Event().record(cuda.Stream())",
    "record_event": "stream.record_event()",
    "a point": "stream.record()",
    "wait": "own.wait_stream(stream)",
    "query of an external event": "external.query()",
    "wait for an external event": "external.synchronize(timeout=20)",
    "making a stream": "syncpoint.Stream('cuda')",
    "is_capturing": "stream.is_capturing()",
    "memory": "device.buffer(64)",
    "pinned memory": "device.host_buffer(64)",
    "fill": "stream.fill(memory, 1)",
    "a handle of others": "cuda.ExternalStream(handle + 0).query()",
    "synchronize": "stream.synchronize(timeout=20)",
    "ipc_handle": "syncpoint.Event('cuda:0', interprocess=True).ipc_handle()",
    "a handle": "syncpoint.Stream('cuda').native_handle",
    "a default stream": "cuda.default_stream()",
    "a record by number": "pool.record(numbers[0], stream)",
    "a time": "isinstance(timed[0].elapsed_time(timed[1]), float)",
    "a time by number": "isinstance(pool.elapsed_time(numbers[0], numbers[1]), float)",
    "a span": "isinstance(timed[1] - timed[0], syncpoint.Span)",
}


@on_stand_in
@pytest.mark.parametrize("call", CALLS)
def test_the_lock_is_free_while_a_call_is_in_the_driver(call):
    assert told_on_stand_in(held(CALLS[call], deferred=False)) == "ok\n"


ENDS = {
    "a wait, as a gate is opened": "gate.open()",
    "an event": "drops(0)",
    "a stream": "drops(1)",
    "memory": "drops(2)",
    "shared streams": "globals().pop('ring') and None",
    "a pool": "[pool.release(number) for number in numbers] and globals().pop('pool') and None",
    "what a pool keeps": "[pool.release(number) for number in numbers] and pool.empty_cache()",
    "a stream of others": "globals().pop('stream') and None",
    "the end of a gate": "globals().pop('gate') and None",
    "an external event": "globals().pop('external') and None",
    "an event for other processes": "kept.pop('interprocess') and None",
    "a point": "kept.pop('point') and None",
    "a notification": "kept.pop('notification') and None",
    "pinned memory": "kept.pop('pinned memory') and None",
    "a stream that was taken in": "kept.pop('taken in') and None",
}


@on_stand_in
@pytest.mark.parametrize("end", ENDS)
def test_the_lock_is_free_while_something_ends_in_the_driver(end):
    # What a thread of ours ends keeps nobody either.
    assert told_on_stand_in(held(ENDS[end], deferred=True)) == "ok\n"


BLOCKING = DRIVER + """
import syncpoint
from syncpoint import cuda, classes

driver.syncpointFakeAlive.restype = ctypes.c_uint64
alive = lambda: driver.syncpointFakeAlive(b"blocking events")
stream = cuda.Stream()
plain, blocking = cuda.Event(), cuda.Event(blocking=True)
plain.record(stream)
assert alive() == 0
blocking.record(stream)
assert alive() == 1
blocking.synchronize(timeout=20)
script = classes.cuda.Event(blocking=True)
script.record(classes.cuda.Stream())
assert alive() == 2
print("ok")
"""


@on_stand_in
def test_an_event_that_is_to_sleep_is_such_a_one_of_the_drivers():
    assert told_on_stand_in(BLOCKING) == "ok\n"
