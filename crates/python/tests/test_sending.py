"""Events that are sent before they are recorded, and after their sender has let go of them; and how they look."""

import gc
import multiprocessing
import sys
import time
import weakref

import pytest
from child import on_stand_in, told_on_stand_in
from conftest import LONG

import syncpoint

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes share events on Linux alone")

spawn = multiprocessing.get_context("spawn")


def takes(events, answers):
    event = events.get(timeout=LONG)
    event.synchronize(timeout=LONG)
    answers.put(event.query())


def sent(events, stream):
    """Sends an event of which nobody here knows once it was sent."""
    event = syncpoint.Event("host", interprocess=True)
    event.record(stream)
    event.synchronize(timeout=LONG)
    events.put(event)
    return weakref.ref(event)


def test_an_event_that_was_sent_stays_until_it_is_taken_whoever_lets_go_of_it(stream):
    events, answers = spawn.Queue(), spawn.Queue()
    gone, until = sent(events, stream), time.monotonic() + LONG
    # Until the thread that sends has done so, and knows nothing of it either.
    while gone() is not None and time.monotonic() < until:
        gc.collect()
    assert gone() is None
    child = spawn.Process(target=takes, args=(events, answers))
    child.start()
    assert answers.get(timeout=LONG) is True
    child.join(LONG)
    assert child.exitcode == 0


def learns(event, told, answers):
    answers.put((event.query(), type(event).__name__))
    assert told.get(timeout=LONG) == "recorded"
    answers.put(event.query())
    event.synchronize(timeout=LONG)
    answers.put(event.query())


@pytest.mark.parametrize("made", [syncpoint.Event, syncpoint.cuda.Event])
def test_an_event_is_sent_before_it_is_recorded(stream, made):
    syncpoint.set_default_backend("host")
    try:
        event, gate, told, answers = made(interprocess=True), syncpoint.Gate(), spawn.Queue(), spawn.Queue()
        assert event.device is None
        child = spawn.Process(target=learns, args=(event, told, answers))
        child.start()
        assert event.device == stream.device and event.event_id == 0
        assert answers.get(timeout=LONG) == (True, "Event")
        stream.wait(gate.point)
        event.record(stream)
        told.put("recorded")
        assert answers.get(timeout=LONG) is False
        gate.open()
        assert answers.get(timeout=LONG) is True
        child.join(LONG)
        assert child.exitcode == 0
    finally:
        syncpoint.set_default_backend(None)


def test_a_handle_that_was_given_before_the_first_record_is_of_the_current_device():
    of_sim = syncpoint.Event("sim", interprocess=True)
    assert len(of_sim.ipc_handle()) == 64 and of_sim.device == syncpoint.open("sim:0")
    first = syncpoint.Event(interprocess=True)
    handle = first.ipc_handle()
    assert len(handle) == 64 and first.ipc_handle() == handle and first.device == syncpoint.open("host:0")
    with pytest.raises(syncpoint.MisuseError, match="does not match recording stream's device type"):
        first.record(syncpoint.Stream("sim:0"))
    again = syncpoint.Event(interprocess=True)
    again.record(syncpoint.Stream("host"))
    assert again.event_id > 0 and again.ipc_handle() != handle


@pytest.mark.parametrize("made", [lambda: syncpoint.cuda.Event(interprocess=True), lambda: syncpoint.Event("sim", interprocess=True)])
def test_an_event_that_a_queue_sends_is_of_the_device_that_was_current_where_it_was_made(made):
    syncpoint.set_default_backend("sim")
    try:
        with syncpoint.cuda.device(1):
            event = made()
        events = multiprocessing.Queue()
        # On a thread of the queue's, where other devices are current.
        events.put(event)
        assert isinstance(events.get(timeout=LONG), syncpoint.Event)
        assert event.device == syncpoint.open("sim:1")
        event.record(syncpoint.Stream("sim:1"))
        event.synchronize(timeout=LONG)
        events.close()
        events.join_thread()
    finally:
        syncpoint.set_default_backend(None)


@pytest.mark.parametrize("made", [lambda: syncpoint.cuda.Event(interprocess=True), lambda: syncpoint.Event("sim", interprocess=True)])
def test_a_handle_is_of_the_device_that_is_current_where_it_is_asked_for(made):
    syncpoint.set_default_backend("sim")
    try:
        event = made()
        with syncpoint.cuda.device(1):
            assert len(event.ipc_handle()) == 64
            event.record()
        assert event.device == syncpoint.open("sim:1")
        event.synchronize(timeout=LONG)
    finally:
        syncpoint.set_default_backend(None)


def test_of_what_was_sent_the_latest_are_kept(stream):
    from syncpoint import _sharing

    dumps = multiprocessing.reduction.ForkingPickler.dumps
    first = syncpoint.Event("host", interprocess=True)
    first.record(stream)
    dumps(first)
    assert first.ipc_handle() in _sharing._sent
    try:
        for _ in range(_sharing._KEPT):
            event = syncpoint.Event("host", interprocess=True)
            event.record(stream)
            dumps(event)
        assert len(_sharing._sent) == _sharing._KEPT and first.ipc_handle() not in _sharing._sent
        assert event.ipc_handle() in _sharing._sent
    finally:
        _sharing._sent.clear()


LOOKS = """
import multiprocessing, sys
import syncpoint
from syncpoint import cuda

def take(handle, answers):
    taken = cuda.Event.from_ipc_handle(0, handle)
    assert repr(taken) == f"<torch.cuda.Event {taken.event_id:#x}>", repr(taken)
    assert taken.cuda_event == taken._as_parameter_.value == taken.event_id > 0
    answers.put("looked")

if __name__ == "__main__":
    event = cuda.Event(interprocess=True)
    assert repr(event) == "<torch.cuda.Event uninitialized>"
    event.record()
    assert repr(event) == f"<torch.cuda.Event {event.event_id:#x}>", repr(event)
    assert event.cuda_event == event._as_parameter_.value == event.event_id > 0
    plain = cuda.Event()
    plain.record()
    assert plain.cuda_event == plain.native_handle
    spawn = multiprocessing.get_context("spawn")
    answers = spawn.Queue()
    child = spawn.Process(target=take, args=(event.ipc_handle(), answers))
    child.start()
    sys.stdout.write(answers.get(timeout=20))
    child.join(20)
    assert child.exitcode == 0
"""


@on_stand_in
def test_an_event_between_processes_is_shown_by_its_number(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(LOOKS)
    assert told_on_stand_in(program) == "looked"


@pytest.mark.parametrize(
    "made",
    [
        lambda: syncpoint.Stream("host"),
        lambda: syncpoint.cuda.Stream(),
        lambda: syncpoint.cuda.Event(),
        lambda: syncpoint.Event(),
        lambda: syncpoint.mps.Stream(),
        lambda: syncpoint.mps.Event(),
        lambda: syncpoint.classes.cuda.Stream(),
        lambda: syncpoint.classes.cuda.Event(),
        lambda: syncpoint.classes.cuda.Event(interprocess=True),
    ],
)
def test_what_is_of_one_process_goes_to_no_other(made):
    syncpoint.set_default_backend("host")
    try:
        with pytest.raises(TypeError, match=r"^cannot pickle '(syncpoint\.)?(Event|Stream)' object$"):
            multiprocessing.reduction.ForkingPickler.dumps(made())
    finally:
        syncpoint.set_default_backend(None)


SPAWNED = """
import multiprocessing, sys
import syncpoint
from syncpoint import cuda

def take(event, told, answers):
    answers.put((type(event) is cuda.Event, event.device.name, event.query()))
    assert told.get(timeout=20) == "recorded"
    waits = cuda.Stream()
    event.wait(waits)
    answers.put((event.query(), waits.query()))
    waits.synchronize(timeout=20)
    event.synchronize(timeout=20)
    answers.put(event.query())

if __name__ == "__main__":
    event, gate, stream = cuda.Event(interprocess=True), syncpoint.Gate(), cuda.Stream()
    spawn = multiprocessing.get_context("spawn")
    told, answers = spawn.Queue(), spawn.Queue()
    child = spawn.Process(target=take, args=(event, told, answers))
    child.start()
    assert answers.get(timeout=20) == (True, "cuda:0", True)
    stream.wait(gate.point)
    event.record(stream)
    told.put("recorded")
    assert answers.get(timeout=20) == (False, False)
    gate.open()
    assert answers.get(timeout=20) is True
    child.join(20)
    sys.stdout.write(f"ended {child.exitcode}")
"""


@on_stand_in
def test_an_event_of_cuda_is_an_argument_of_another_process(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(SPAWNED)
    assert told_on_stand_in(program) == "ended 0"
