"""Ctrl-C ends every kind of wait, and leaves the work as it is."""

import os

import pytest
from programs import run

INTERRUPTED = """
import os, signal, threading
import syncpoint

device = syncpoint.open("host:0")
stream, event, gate, other = device.stream(), syncpoint.Event(), syncpoint.Gate(), syncpoint.Gate()
stream.wait(gate.point)
event.record(stream)
point = stream.record()

def signals():
    # Only once the main thread is among those that wait, which the report of a wait that ran out tells.
    while True:
        try:
            other.point.synchronize(timeout=0)
        except syncpoint.TimedOutError as late:
            if " waits for point" in late.report:
                break
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=signals, daemon=True).start()
try:
    WAIT
except KeyboardInterrupt:
    assert not point.query()
    gate.open()
    stream.synchronize(timeout=20)
    print("interrupted")
"""

WAITS = [
    "point.synchronize()",
    "point.synchronize(timeout=60)",
    "event.synchronize()",
    "stream.synchronize()",
    "device.synchronize()",
    "syncpoint.wait_all([point, event])",
    "syncpoint.wait_any([point, event])",
]


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as on Unix")
@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_a_wait_and_leaves_the_work_as_it_is(wait):
    assert run(INTERRUPTED.replace("WAIT", wait)) == (0, "interrupted\n", "")


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
