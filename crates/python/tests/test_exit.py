"""The end of a process while functions of its are called by streams and callbacks: they end, then it ends, without a word."""

import os

import pytest
from programs import run

# What is given to `atexit` before the package is imported is called after the package has ended.
BEGIN = """
import asyncio, atexit, os, signal, sys, threading
late = []
atexit.register(lambda: [function() for function in late])
import syncpoint

stream, gate, begun = syncpoint.open("host:0").stream(), syncpoint.Gate(), threading.Event()

def ends():
    # The end of the process has begun, and goes on beside this for longer than anything waits in vain.
    begun.set()
    threading.main_thread().join()
    for _ in range(10_000_000):
        pass
    sys.stdout.write("ended")

def is_refused():
    # A wait that nothing ends but the end of the process.
    try:
        gate.point.synchronize()
    except syncpoint.UnavailableError as refused:
        assert "the interpreter ends" in str(refused), refused

def fails(call):
    try:
        call()
    except syncpoint.UnavailableError as refused:
        assert "the interpreter ends" in str(refused), refused
        sys.stdout.write("refused")

"""

RUNNING = {
    "work that computes": "stream.enqueue(ends); begun.wait()",
    "a callback that computes": "stream.record().add_done_callback(lambda _failure: ends()); begun.wait()",
    "a callback of a future that computes": "stream.wait(gate.point)\nstream.enqueue(int).add_done_callback(lambda _future: ends())\ngate.open(); begun.wait()",
    "work that uses the package": """
def use():
    begun.set()
    threading.main_thread().join()
    event = syncpoint.Event()
    for _ in range(20_000):
        event.record()
        with stream: pass
    sys.stdout.write("ended")
stream.enqueue(use); begun.wait()
""",
    "what is destroyed on a thread of ours": """
class Slow:
    def __call__(self, _failure): pass
    def __del__(self): ends()
stream.wait(gate.point)
stream.record().add_done_callback(Slow())
gate.open(); begun.wait()
""",
    "work that waits for a point": "stream.enqueue(lambda: begun.set() or is_refused() or sys.stdout.write('ended')); begun.wait()",
    "work that waits for work": """
other = syncpoint.open("host:0").stream()
other.wait(gate.point)
pending = other.enqueue(int)
stream.enqueue(lambda: begun.set() or pending.exception() and sys.stdout.write('ended')); begun.wait()
""",
}


@pytest.mark.parametrize("case", RUNNING)
def test_a_process_ends_after_the_functions_that_it_runs(case):
    assert run(BEGIN + RUNNING[case]) == (0, "ended", "")


PENDING = {
    "a future": "future = point.future(); late.append(lambda: fails(future.result))",
    "work": "future = stream.enqueue(int); late.append(lambda: fails(future.result))",
    "an await": """
async def awaits():
    await point
loop = asyncio.new_event_loop()
task = loop.create_task(awaits())
loop.call_soon(loop.stop)
loop.run_forever()
late.append(lambda: fails(lambda: loop.run_until_complete(task)))
""",
    "a future that is asked for too late": "late.append(lambda: fails(point.future))",
    "work that is given too late": "late.append(lambda: fails(lambda: stream.enqueue(int)))",
}


@pytest.mark.parametrize("case", PENDING)
@pytest.mark.parametrize("opened", ["pass", "atexit.register(gate.open)", "late.insert(0, gate.open)"])
def test_what_never_comes_because_the_process_ends_is_told_so(case, opened):
    begin = BEGIN + "stream.wait(gate.point)\npoint = stream.record()\n"
    code, told, complained = run(f"{begin}{PENDING[case]}\n{opened}\n")
    # What the exit sets free may still have come before the end.
    expected = ("refused",) if "atexit" not in opened or "too late" in case else ("refused", "")
    assert (code, complained) == (0, "") and told in expected, told


# The end of the package has come, and a thread of ours that is still let in would be cut off in the middle.
AFTER = """
class Slow:
    def __call__(self, *_): ends()
    def __del__(self): ends()
stream.wait(gate.point)
CASE
late += [gate.open if "OPEN" else lambda: gate.fail("x"), lambda: begun.wait(0.2), lambda: os.write(1, b"over")]
"""

LATER = {
    "a callback": "stream.record().add_done_callback(Slow())",
    "work": "stream.enqueue(Slow())",
}


@pytest.mark.parametrize("case", LATER)
@pytest.mark.parametrize("opened", ["OPEN", ""])
def test_after_the_end_nothing_of_python_is_called_or_destroyed_on_threads_of_ours(case, opened):
    assert run(BEGIN + AFTER.replace("CASE", LATER[case]).replace("OPEN", opened)) == (0, "over", "")


def test_a_callback_of_a_future_is_called_as_the_end_tells_it():
    told = "stream.wait(gate.point)\nstream.enqueue(int).add_done_callback(lambda future: fails(future.result))\n"
    assert run(BEGIN + told + "late.append(lambda: gate.fail('x'))") == (0, "refused", "")


def test_a_callback_of_a_future_may_ask_for_another_as_the_end_tells_both():
    program = """
stream.wait(gate.point)
pair = [stream.enqueue(int) for _ in range(2)]
for mine, other in (pair, pair[::-1]):
    mine.add_done_callback(lambda _mine, other=other: fails(other.result))
late.append(lambda: sys.stdout.write(str(pair[0].exception() is pair[1].exception())))
"""
    assert run(BEGIN + program) == (0, "refusedrefusedFalse", "")


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as on Unix")
def test_ctrl_c_at_the_end_interrupts_what_runs():
    program = """
def endless():
    begun.set()
    is_refused()
    try:
        os.kill(os.getpid(), signal.SIGINT)
        while True: pass
    except KeyboardInterrupt:
        sys.stdout.write("interrupted")
stream.enqueue(endless); begun.wait()
"""
    assert run(BEGIN + program) == (0, "interrupted", "")


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as on Unix")
def test_ctrl_c_once_more_ends_the_process_at_once():
    program = """
def endless():
    begun.set()
    is_refused()
    try:
        os.kill(os.getpid(), signal.SIGINT)
        while True: pass
    except KeyboardInterrupt:
        sys.stdout.write("interrupted")
        os.kill(os.getpid(), signal.SIGINT)
    threading.Event().wait()
stream.enqueue(endless); begun.wait()
"""
    assert run(BEGIN + program) == (130, "interrupted", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_that_was_forked_beside_a_running_function_waits_for_nobody():
    program = """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
go = threading.Event()
stream.enqueue(lambda: begun.set() or go.wait()); begun.wait()
child = os.fork()
if not child:
    sys.exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
go.set()
"""
    assert run(BEGIN + program) == (0, "", "")


def test_a_callback_that_raises_what_ends_a_program_cuts_nothing_off():
    pending = """
other = syncpoint.open("host:0").stream()
other.wait(gate.point)
for _ in range(9):
    other.enqueue(int).add_done_callback(lambda _future: sys.exit(3))
    other.enqueue(int).add_done_callback(lambda _future: sys.stdout.write("told "))
"""
    code, told, complained = run(BEGIN + pending + RUNNING["work that computes"])
    assert code == 0 and "SystemExit" in complained and sorted(told.replace("ended", "ended ").split()) == ["ended", *["told"] * 9], told
