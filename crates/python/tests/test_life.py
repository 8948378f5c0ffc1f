"""The life of a process: threads, the garbage collector, exit, fork and spawn, without a word and without a wait."""

import gc
import os
import sys
import threading

import pytest
from conftest import LONG
from programs import run, run_file

import syncpoint

BEGIN = """
import atexit, os, sys, threading, warnings
import syncpoint

stream, gate = syncpoint.open("host:0").stream(), syncpoint.Gate()
stream.wait(gate.point)
point = stream.record()

def wait_forever():
    point.synchronize()

def is_waited_for():
    other = syncpoint.Gate()
    while True:
        try:
            other.point.synchronize(timeout=0)
        except syncpoint.TimedOutError as late:
            if " waits for point" in late.report:
                return

"""

EXITS = {
    "pending work": "stream.enqueue(print, 'never')",
    "a pending callback": "point.add_done_callback(print)",
    "a callback that the exit sets free": "point.add_done_callback(lambda _failure: sys.stdout.write(''))",
    "work that prints as the process ends": "gate.open()\nfor _ in range(2000): stream.enqueue(sys.stdout.write, '')",
    "a pending future": "future = point.future()",
    "a thread that waits": "threading.Thread(target=wait_forever, daemon=True).start()\nis_waited_for()",
    "an event in a global": "event = syncpoint.Event()\nevent.record(stream)",
    "an event that is waited for at exit": "gate.open()\nevent = syncpoint.Event()\nevent.record(stream)\natexit.register(event.synchronize)",
    "work that is enqueued at exit": "gate.open()\natexit.register(lambda: stream.enqueue(int, '7').result())",
    "a gate that is opened at exit": "stream.enqueue(int, '7')\natexit.register(gate.open)",
    "sys.exit in a function": "stream.enqueue(sys.exit, 3)\ngate.open()",
    "nothing said to Python": "stream.enqueue(print, 'never')\nos._exit(0)",
}


@pytest.mark.parametrize("case", EXITS)
def test_a_process_exits_at_once_and_silently_with(case):
    assert run(BEGIN + EXITS[case]) == (0, "", "")


FORKED = BEGIN + """
event, made = syncpoint.Event(enable_timing=True), stream.device.event()
event.record(stream)
stream.enqueue(int)
notification = point.add_done_callback(lambda failure: None)
# From 3.12 on Python warns of a fork beside threads, which is what this is about.
warnings.simplefilter("ignore", DeprecationWarning)
child = os.fork()
if not child:
    refused = 0
    for call in (stream.record, stream.query, stream.synchronize, point.synchronize, event.synchronize,
                 lambda: point.future().result(timeout=10),
                 lambda: stream.enqueue(print), lambda: stream.wait(point), lambda: event.record(stream), gate.open,
                 lambda: syncpoint.wait_all([point]), lambda: syncpoint.wait_any([point], timeout=10), stream.recover):
        try:
            call()
        except syncpoint.UnavailableError:
            refused += 1
    assert refused == 13, refused
    assert not notification.cancel()
    anew = syncpoint.open("host:0").stream()
    assert anew.enqueue(int, "7").result(timeout=20) == 7
    anew.record().synchronize(timeout=20)
    EXIT
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
gate.open()
assert notification.cancel() in (True, False)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("end", ["sys.exit()", "os._exit(0)", "del stream, gate, point, event, made, notification; sys.exit()"])
def test_a_child_of_a_fork_is_told_so_begins_anew_and_exits_silently(end):
    assert run(FORKED.replace("EXIT", end)) == (0, "", "")


SPAWNED = """
import multiprocessing
import syncpoint

def work(number):
    stream = syncpoint.open("host:0").stream()
    return stream.enqueue(int, number).result(timeout=20)

if __name__ == "__main__":
    stream = syncpoint.open("host:0").stream()
    stream.enqueue(int, "7").result(timeout=20)
    with multiprocessing.get_context("METHOD").Pool(2) as pool:
        assert pool.map(work, ["7", "8"]) == [7, 8]
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver"] if os.name == "posix" else ["spawn"])
def test_processes_that_multiprocessing_makes_have_streams_of_their_own(method, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(SPAWNED.replace("METHOD", method))
    assert run_file(program) == (0, "", "")


def many(function, count=8):
    """Runs a function on so many threads at once; gives what was raised on them."""
    begin, raised = threading.Barrier(count), []

    def body():
        begin.wait(LONG)
        try:
            function()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=body) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(3 * LONG)
        assert not thread.is_alive()
    return raised


def test_many_threads_record_wait_for_and_ask_one_event(device):
    event, streams = syncpoint.Event(), [device.stream() for _ in range(4)]

    def use():
        for i in range(200):
            stream = streams[i % 4]
            event.record(stream)
            event.wait(streams[(i + 1) % 4])
            event.query()
            event.synchronize(timeout=LONG)

    assert many(use) == []


def test_many_threads_make_and_drop_everything_beside_the_garbage_collector(device):
    class Knot:
        """What only the collector takes apart."""

        def __init__(self):
            self.me, self.stream, self.gate = self, device.stream(), syncpoint.Gate()
            self.stream.wait(self.gate.point)
            self.notification = self.stream.record().add_done_callback(int_of)
            self.future = self.stream.enqueue(int)

    def int_of(_failure):
        return 7

    def use():
        for _ in range(50):
            Knot()
            gc.collect(0)

    assert many(use) == []
    gc.collect()


def test_what_is_dropped_on_another_thread_is_dropped(device):
    held = [device.stream(), syncpoint.Event(), syncpoint.Gate(), device.stream().record()]
    thread = threading.Thread(target=held.clear)
    thread.start()
    thread.join(LONG)
    assert held == []


@pytest.mark.skipif(not hasattr(sys, "_is_gil_enabled"), reason="an interpreter that always has its lock")
def test_the_lock_that_was_off_stays_off():
    code, told, complained = run("import sys, syncpoint; print(sys._is_gil_enabled())")
    assert (code, complained) == (0, "") and told == f"{sys._is_gil_enabled()}\n"
