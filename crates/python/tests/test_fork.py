"""A child of a fork: current streams are those of its own devices, and a driver of the parent's is told as what it is."""

import os

import pytest
from child import on_stand_in, told_on_stand_in
from programs import run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

FORK = """
import os, threading, warnings
import syncpoint
from syncpoint import cuda, mps

BEFORE
# From 3.12 on Python warns of a fork beside threads, which is what this is about.
warnings.simplefilter("ignore", DeprecationWarning)
child = os.fork()
if not child:
    CHILD
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


def forked(before, child):
    return FORK.replace("BEFORE", before).replace("CHILD", child.replace("\n", "\n    "))


CURRENT = forked(
    """
syncpoint.set_default_backend("host")
mine = syncpoint.Stream("host")
mps.Event().record()
cuda.Event().record()
with syncpoint.stream(mine):
    entered = syncpoint.stream(mine)
    entered.__enter__()
syncpoint.set_stream(mine)
""",
    """
assert syncpoint.current_stream() == syncpoint.default_stream() != mine
event = syncpoint.Event()
event.record()
event.synchronize(timeout=20)
of_mps = mps.Event()
of_mps.record()
of_mps.synchronize(timeout=20)
assert of_mps.query()
of_cuda = cuda.Event()
of_cuda.record()
of_cuda.synchronize(timeout=20)
assert of_cuda.device == event.device and cuda.current_stream() == cuda.default_stream() != mine
# What was entered before the fork is left in the child as well.
entered.__exit__()
with syncpoint.Stream("host") as other:
    assert syncpoint.current_stream() == other
assert syncpoint.current_stream() == syncpoint.default_stream()
""",
)


def test_a_child_begins_on_the_default_streams_of_its_own_devices():
    assert run(CURRENT) == (0, "", "")


UNRECORDED = forked(
    """
recorded, never = syncpoint.Event("host"), syncpoint.Event("host")
recorded.record(syncpoint.Stream("host"))
assert recorded.event_id > 0 and never.event_id == 0
""",
    """
# Of what it was before nothing is known here.
assert recorded.event_id == never.event_id == 0 and "event_id=0" in repr(never)
""",
)


def test_an_event_of_before_a_fork_has_no_id_in_the_child():
    assert run(UNRECORDED) == (0, "", "")


BESIDE = forked(
    """
making = threading.Event()

class Slow:
    # A thread is making its default stream as the process forks.
    name, type, index = "slow:0", "slow", 0
    def _default_stream(self):
        making.set()
        threading.Event().wait()

threading.Thread(target=syncpoint._current._defaults.of, args=(Slow(),), daemon=True).start()
making.wait(20)
""",
    """
assert syncpoint.current_stream("host") == syncpoint.default_stream("host")
""",
)


def test_a_child_has_default_streams_whatever_another_thread_did_as_it_was_forked():
    assert run(BESIDE) == (0, "", "")


STAYED = forked(
    """
cuda.Event().record()
before = cuda.current_stream()
""",
    """
text = ("Cannot re-initialize CUDA in forked subprocess. To use CUDA with multiprocessing, you must use the 'spawn' start "
        "method")
for call in (cuda.Stream, lambda: cuda.Stream("cuda:1"), cuda.Event, cuda.current_stream, cuda.synchronize,
             cuda.device_count, cuda.is_available, cuda.Stream.priority_range, lambda: cuda.set_device(0)):
    try:
        call()
    except syncpoint.UnavailableError as refused:
        assert str(refused) == text, refused
        assert "as this process was forked" in str(refused.__cause__), refused.__cause__
    else:
        raise AssertionError(call)
# What the parent made says so itself.
try:
    before.record_event(syncpoint.Event())
except syncpoint.UnavailableError as refused:
    assert "was made before this process was forked" in str(refused), refused
syncpoint.set_default_backend("cuda")
try:
    mps.Event()
except syncpoint.UnavailableError as refused:
    assert "as this process was forked" in str(refused), refused
""",
)


@on_stand_in
def test_a_driver_of_the_parents_is_told_as_that_and_not_as_absent():
    assert told_on_stand_in(STAYED) == ""


GATE = forked(
    """
gate = syncpoint.Gate()
# Only what waits behind it knows the gate: the collector finds it in the child as in the parent.
gate.point.add_done_callback(lambda failure, gate=gate: None)
parent = os.getpid()
del gate
import gc, sys
""",
    """
gc.collect()
sys.exit()
""",
)


def test_a_gate_that_the_collector_finds_in_a_child_is_not_complained_of():
    # The parent's own is collected as well, and told as one that was dropped.
    assert run(GATE) == (0, "", "")


FUTURES = forked(
    """
import sys
stream, gate = syncpoint.open("host:0").stream(), syncpoint.Gate()
stream.wait(gate.point)
work, of_point = stream.enqueue(int), stream.record().future()
cancelled = stream.enqueue(int)
assert cancelled.cancel()
parent = os.getpid()
def told(future):
    print("told", "in the parent" if os.getpid() == parent else "in the child", flush=True)
work.add_done_callback(told)
HELD
""",
    """
for future in (work, of_point):
    try:
        future.result(timeout=20)
    except syncpoint.UnavailableError as refused:
        assert "before this process was forked" in str(refused), refused
    else:
        raise AssertionError
    assert future.done() and not future.cancel()
assert cancelled.cancelled()
anew = syncpoint.open("host:0").stream()
assert anew.enqueue(int, "7").result(timeout=20) == 7
sys.exit()
""",
) + """
RELEASED
gate.open()
assert work.result(timeout=20) == 0
of_point.result(timeout=20)
"""

LOCKED = """
taken, go = threading.Event(), threading.Event()
def holds():
    with work._condition:
        taken.set()
        go.wait()
holder = threading.Thread(target=holds, daemon=True)
holder.start()
taken.wait()
"""


@pytest.mark.parametrize(
    "held, let_go", [("", ""), (LOCKED, "go.set(); holder.join()")], ids=["at rest", "as another thread has their lock"]
)
def test_futures_of_the_parent_are_refused_in_a_child_and_their_callbacks_are_the_parents(held, let_go):
    program = FUTURES.replace("HELD", held).replace("RELEASED", let_go)
    assert run(program) == (0, "told in the parent\n", "")


PLACES = forked(
    """
def late():
    stream, gate = syncpoint.open("host:0").stream(), syncpoint.Gate()
    stream.wait(gate.point)
    try:
        stream.record().synchronize(timeout=0.001)
    except syncpoint.TimedOutError as report:
        return str(report)
here = late()
assert ".rs" not in here, here
""",
    """
there = late()
assert ".rs" not in there, there
""",
)


def test_a_child_names_the_lines_of_calls_that_its_parent_made_too():
    assert run(PLACES) == (0, "", "")
