"""A wait is for what was there as it began: what comes while it lasts makes it no longer, however many slices it has."""

import pytest
from programs import run

BEGIN = """
import threading
import syncpoint
from syncpoint import cuda, mps

syncpoint.set_default_backend("host")
device = syncpoint.open("host:0")
stream, gate = device.stream(), syncpoint.Gate()
never = syncpoint.Gate()
stream.wait(gate.point)
event, blocking = syncpoint.Event(), syncpoint.Event(blocking=True)
pool = syncpoint.EventPool("host")
start, end = (pool.acquire(enable_timing=True) for _ in range(2))

def record(stream):
    for each in (event, blocking):
        each.record(stream)
    for number in (start, end):
        pool.record(number, stream)

def slices():
    # Longer than two of them.
    try:
        never.point.synchronize(timeout=0.12)
    except syncpoint.TimedOutError as late:
        return late.report

"""

WAITS = BEGIN + """
record(stream)

def wait():
    WAIT
    returned.append(True)

returned = []
thread = threading.Thread(target=wait, daemon=True)
thread.start()
while " waits for point" not in slices():
    pass
later = device.stream()
later.wait(never.point)
record(later)
# The wait has come to another slice.
slices()
gate.open()
thread.join(20)
print(returned, event.query())
never.open()
"""

WAITS_FOR = [
    "device.synchronize()",
    "syncpoint.synchronize('host', timeout=60)",
    "cuda.synchronize()",
    "mps.synchronize()",
    "event.synchronize()",
    "blocking.synchronize(timeout=60)",
    "pool.synchronize(end)",
    "assert pool.elapsed_time(start, end) >= 0",
    "syncpoint.wait_all([event])",
    "syncpoint.wait_any([event])",
]


@pytest.mark.parametrize("wait", WAITS_FOR)
def test_a_wait_is_for_what_was_there_as_it_began(wait):
    assert run(WAITS.replace("WAIT", wait)) == (0, "[True] False\n", "")


FAILED = BEGIN + """
failed = syncpoint.Gate()
failed.fail("no disk")

def wait():
    try:
        syncpoint.wait_all([failed.point, stream.record()])
    except syncpoint.FailedError as failure:
        told.append((stream.query(), "no disk" in str(failure)))

told = []
thread = threading.Thread(target=wait, daemon=True)
thread.start()
while " waits for point" not in slices() and thread.is_alive():
    pass
slices()
gate.open()
thread.join(20)
print(told)
never.open()
"""


def test_a_failure_is_told_once_all_are_waited_for():
    assert run(FAILED) == (0, "[(True, True)]\n", "")
