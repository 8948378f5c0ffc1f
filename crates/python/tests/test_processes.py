"""Events of other processes: sent as messages, waited for, and failed where their process is killed."""

import copy
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys

import pytest
from conftest import LONG
from programs import run

import syncpoint

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes share events on Linux alone")

spawn = multiprocessing.get_context("spawn")


@pytest.fixture
def on_the_host():
    syncpoint.set_default_backend("host")
    yield
    syncpoint.set_default_backend(None)


def waits_for(event, answers):
    answers.put("waits")
    event.synchronize(timeout=LONG)
    answers.put("came")


def test_an_event_is_sent_to_another_process_and_waited_for_there(stream):
    gate, event, answers = syncpoint.Gate(), syncpoint.Event(interprocess=True), spawn.Queue()
    stream.wait(gate.point)
    event.record(stream)
    child = spawn.Process(target=waits_for, args=(event, answers))
    child.start()
    assert answers.get(timeout=LONG) == "waits"
    gate.open()
    assert answers.get(timeout=LONG) == "came"
    child.join(LONG)
    assert child.exitcode == 0


def waits_for_all(event, other, answers):
    try:
        syncpoint.wait_any([event, other], timeout=0.06)
    except syncpoint.TimedOutError:
        answers.put("waits")
    syncpoint.wait_all([event, other], timeout=LONG)
    answers.put(syncpoint.wait_any([other, event], timeout=LONG))


def test_events_of_other_processes_are_waited_for_beside_others(stream):
    gate, event, other, answers = syncpoint.Gate(), *(syncpoint.Event(interprocess=True) for _ in range(2)), spawn.Queue()
    stream.wait(gate.point)
    for each in (event, other):
        each.record(stream)
    child = spawn.Process(target=waits_for_all, args=(event, other, answers))
    child.start()
    assert answers.get(timeout=LONG) == "waits"
    gate.open()
    assert answers.get(timeout=LONG) == 0
    child.join(LONG)
    assert child.exitcode == 0


def test_an_event_of_the_cuda_module_arrives_as_one(on_the_host):
    event = syncpoint.cuda.Event(interprocess=True)
    event.record()
    arrived = pickle.loads(multiprocessing.reduction.ForkingPickler.dumps(event))
    assert type(arrived) is syncpoint.cuda.Event and arrived.event_id == event.event_id


EXPORTER = """
import sys, syncpoint
stream, gate = syncpoint.open("host:0").stream(), syncpoint.Gate()
event = syncpoint.Event(interprocess=True)
stream.wait(gate.point)
event.record(stream)
print(event.ipc_handle().hex(), flush=True)
sys.stdin.read()
"""


def test_who_waits_for_an_event_of_a_process_that_is_killed_fails(device):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", EXPORTER], text=True, **pipes) as child:
        event = syncpoint.Event.from_ipc_handle(device, bytes.fromhex(child.stdout.readline()))
        waiting = device.stream()
        assert not event.query()
        with pytest.raises(syncpoint.TimedOutError):
            syncpoint.wait_all([event], timeout=0.06)
        settled = device.stream().record()
        assert syncpoint.wait_any([event, settled], timeout=LONG) == 1
        event.wait(waiting)
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(syncpoint.Error) as failed:
            event.synchronize(timeout=LONG)
        assert not isinstance(failed.value, TimeoutError)
        for wait in (syncpoint.wait_all, syncpoint.wait_any):
            with pytest.raises(syncpoint.FailedError):
                wait([event], timeout=LONG)
        with pytest.raises(syncpoint.FailedError):
            waiting.synchronize(timeout=LONG)


def test_a_handle_in_its_own_process_is_the_event_itself(device, stream):
    gate, event = syncpoint.Gate(), syncpoint.Event(device, interprocess=True)
    taken_in = syncpoint.Event.from_ipc_handle(device, event.ipc_handle())
    stream.wait(gate.point)
    event.record(stream)
    assert not taken_in.query()
    assert taken_in.event_id == event.event_id
    gate.open()


def test_bytes_that_are_no_handle_are_refused(device):
    with pytest.raises(syncpoint.MisuseError, match="63 bytes instead of 64") as refused:
        syncpoint.Event.from_ipc_handle(device, bytes(63))
    assert refused.value.reason == "stale handle"


def test_an_event_of_one_process_is_not_exported(device):
    with pytest.raises(syncpoint.MisuseError, match="interprocess"):
        device.event().ipc_handle()


@pytest.mark.parametrize("interprocess", [False, True])
@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_an_event_is_copied_by_nothing_but_a_message(device, copied, interprocess):
    with pytest.raises(TypeError, match="cannot pickle"):
        copied(device.event(interprocess=interprocess))


def test_an_event_of_one_process_is_not_sent(device):
    with pytest.raises(TypeError, match="cannot pickle"):
        multiprocessing.reduction.ForkingPickler.dumps(device.event())


SENDS = """
import glob, multiprocessing, warnings
import syncpoint
# From 3.12 on Python warns of a fork beside threads.
warnings.simplefilter("ignore", DeprecationWarning)

def sends(queue):
    queue.put(syncpoint.Event("host", interprocess=True))

fork = multiprocessing.get_context("fork")
queue = fork.Queue()
child = fork.Process(target=sends, args=(queue,))
child.start()
child.join()
assert child.exitcode == 0
print(glob.glob(f"/dev/shm/syncpoint-{child.pid:x}-*.page"), end="")
"""


def test_a_process_that_was_forked_leaves_nothing_of_what_it_sent():
    assert run(SENDS) == (0, "[]", "")
