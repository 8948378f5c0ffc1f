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
# What was entered before the fork is left in the child as well.
entered.__exit__()
with syncpoint.Stream("host") as other:
    assert syncpoint.current_stream() == other
assert syncpoint.current_stream() == syncpoint.default_stream()
""",
)


def test_a_child_begins_on_the_default_streams_of_its_own_devices():
    assert run(CURRENT) == (0, "", "")


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
