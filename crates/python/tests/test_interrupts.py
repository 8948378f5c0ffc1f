"""Ctrl-C ends every kind of wait, and leaves the work as it is."""

import os
import subprocess
import sys

import pytest
from child import on_stand_in, told_on_stand_in
from conftest import LONG
from programs import run

import syncpoint

BEGIN = """
import os, signal, sys, threading
import syncpoint
from syncpoint import classes, cuda, mps

other = syncpoint.Gate()
# Longer than anything here takes: whoever reads what this tells does not wait for ever.
signal.alarm(60)

def signals():
    # Only once the main thread is among those that wait, which the report of a wait that ran out tells.
    while True:
        try:
            other.point.synchronize(timeout=0)
        except syncpoint.TimedOutError as late:
            if "  thread " in late.report:
                break
    os.kill(os.getpid(), signal.SIGINT)

"""

INTERRUPTED = (
    BEGIN
    + """
syncpoint.set_default_backend("BACKEND")
device = syncpoint.open("BACKEND:0")
stream, event, gate = device.stream(), syncpoint.Event(), syncpoint.Gate()
stream.wait(gate.point)
event.record(stream)
point = stream.record()
blocking, of_cuda, of_mps = syncpoint.Event(blocking=True), cuda.Event(), mps.Event(enable_timing=True)
pool = of_mps._Event__pool
number = of_mps._Event__eventId
for each in (blocking, of_cuda):
    each.record(stream)
pool.record(number, stream)
of_class, stream_of_class, stream_of_cuda, stream_of_mps = classes.cuda.Event(), classes.cuda.Stream(), cuda.Stream(), mps.Stream()
stream_of_cuda.wait_stream(stream)
stream_of_mps.wait_stream(stream)
stream_of_class._stream.wait_stream(stream)
of_class.record(stream_of_class)

threading.Thread(target=signals, daemon=True).start()
try:
    WAIT
except KeyboardInterrupt:
    assert not point.query()
    gate.open()
    stream.synchronize(timeout=20)
    print("interrupted")
"""
)

WAITS = [
    "point.synchronize()",
    "point.synchronize(timeout=60)",
    "event.synchronize()",
    "stream.synchronize()",
    "device.synchronize()",
    "syncpoint.wait_all([point, event])",
    "syncpoint.wait_any([point, event])",
    "syncpoint.synchronize(timeout=60)",
    "blocking.synchronize()",
    "pool.synchronize(number)",
    "pool.elapsed_time(number, number)",
    "of_cuda.synchronize()",
    "stream_of_cuda.synchronize()",
    "cuda.synchronize()",
    "of_mps.synchronize()",
    "of_mps.elapsed_time(of_mps)",
    "stream_of_mps.synchronize()",
    "mps.synchronize(timeout=60)",
    "mps._mps_synchronizeEvent(number)",
    "mps._mps_elapsedTimeOfEvents(number, number)",
    "of_class.synchronize()",
    "stream_of_class.synchronize()",
]


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as on Unix")
@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_a_wait_and_leaves_the_work_as_it_is(wait):
    program = INTERRUPTED.replace("WAIT", wait).replace("BACKEND", "host")
    assert run(program) == (0, "interrupted\n", "")


@on_stand_in
@pytest.mark.skipif(os.name != "posix", reason="signals are sent as on Unix")
@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_a_wait_on_cuda_too(wait):
    assert told_on_stand_in(INTERRUPTED.replace("WAIT", wait).replace("BACKEND", "cuda")) == "interrupted\n"


IMPORTED = (
    BEGIN
    + """
event = syncpoint.Event.from_ipc_handle(sys.argv[1], bytes.fromhex(sys.argv[2]))
waits = syncpoint.open(sys.argv[1]).stream()
event.wait(waits)
threading.Thread(target=signals, daemon=True).start()
try:
    WAIT
except KeyboardInterrupt:
    assert not event.query() and not waits.query()
    print("interrupted", flush=True)
    waits.synchronize(timeout=20)
"""
)


@pytest.mark.skipif(sys.platform != "linux", reason="processes share events on Linux alone")
@pytest.mark.parametrize("wait", ["event.synchronize()", "event.synchronize(timeout=60)", "waits.synchronize()"])
def test_ctrl_c_ends_a_wait_for_another_process(wait, stream):
    event, gate = syncpoint.Event("host", interprocess=True), syncpoint.Gate()
    stream.wait(gate.point)
    event.record(stream)
    command = [sys.executable, "-c", IMPORTED.replace("WAIT", wait), "host:0", event.ipc_handle().hex()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout.readline() == "interrupted\n"
            gate.open()
            told, complained = child.communicate(timeout=LONG)
        finally:
            child.kill()
    assert (child.returncode, told, complained) == (0, "", "")


AWAITED = """
import asyncio, os, signal
import syncpoint

async def main():
    stream, gate = syncpoint.open("host:0").stream(), syncpoint.Gate()
    stream.wait(gate.point)
    point = stream.record()
    asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGINT)
    try:
        await WAIT
    finally:
        assert not point.query()
        gate.open()
        stream.synchronize(timeout=20)
        print("interrupted")

try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as on Unix")
@pytest.mark.parametrize("wait", ["point", "asyncio.wrap_future(point.future())"])
def test_ctrl_c_ends_a_task_that_awaits_and_leaves_the_work_as_it_is(wait):
    assert run(AWAITED.replace("WAIT", wait)) == (0, "interrupted\n", "")
