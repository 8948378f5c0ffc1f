"""What only its own callbacks and work could still reach is collected, and its gates fail; what others can reach is not."""

import concurrent.futures
import gc
import queue
import threading
import weakref

import pytest
from conftest import LONG

import syncpoint


class Owner:
    """Something with a gate, and callbacks and work of its own behind that."""

    def __init__(self, device, kind):
        self.gate, self.told, self.stream = syncpoint.Gate(), queue.SimpleQueue(), device.stream()
        self.device = device
        self.stream.wait(self.gate.point)
        # Told from outside of the cycle.
        self.outcomes = outcomes
        getattr(self, kind)()

    def callback(self):
        self.gate.point.add_done_callback(self.tell)

    def future(self):
        self.gate.point.future().add_done_callback(self.tell)

    def work(self):
        self.stream.enqueue(self.tell, None).add_done_callback(self.tell)

    def callback_behind_the_stream(self):
        self.stream.record().add_done_callback(self.tell)

    def work_behind_two_gates(self):
        self.other = syncpoint.Gate()
        self.stream.wait(self.other.point)
        self.stream.enqueue(self.tell, None)
        self.callback()

    def work_behind_a_copy_of_the_stream(self):
        syncpoint.Stream(self.stream).enqueue(self.tell, None).add_done_callback(self.tell)

    def work_behind_another_object_of_a_shared_stream(self):
        ring = syncpoint.SharedStreams(self.device)
        ring.at(0, 3).wait(self.gate.point)
        ring.at(0, 3).enqueue(self.tell, None).add_done_callback(self.tell)

    def callback_of_an_event(self):
        self.event = syncpoint.Event()
        self.event.record(self.stream)
        self.event.add_done_callback(self.tell)

    def future_of_an_event(self):
        self.stream.record_event().future().add_done_callback(self.tell)

    def callback_of_the_point_of_an_event(self):
        self.stream.record_event().point().add_done_callback(self.tell)

    def work_behind_an_event(self):
        self.beside = self.device.stream()
        self.beside.wait_event(self.stream.record_event())
        self.beside.enqueue(self.tell, None).add_done_callback(self.tell)

    def work_behind_another_object_of_an_event(self):
        self.beside, event = self.device.stream(), self.stream.record_event()
        syncpoint.Event(event).wait(self.beside)
        self.beside.enqueue(self.tell, None).add_done_callback(self.tell)

    def work_behind_another_stream(self):
        self.beside = self.device.stream()
        self.beside.wait_stream(self.stream)
        self.beside.enqueue(self.tell, None).add_done_callback(self.tell)

    def nothing(self):
        pass

    def tell(self, outcome):
        self.outcomes.put(outcome.exception() if isinstance(outcome, concurrent.futures.Future) else outcome)


outcomes: "queue.SimpleQueue[object]" = queue.SimpleQueue()

KINDS = [
    "callback",
    "future",
    "work",
    "callback_behind_the_stream",
    "work_behind_two_gates",
    "work_behind_a_copy_of_the_stream",
    "work_behind_another_object_of_a_shared_stream",
    "callback_of_an_event",
    "future_of_an_event",
    "callback_of_the_point_of_an_event",
    "work_behind_an_event",
    "work_behind_another_object_of_an_event",
    "work_behind_another_stream",
]


@pytest.fixture(autouse=True)
def nothing_else():
    gc.collect()
    while not outcomes.empty():
        outcomes.get()


def is_gone():
    """Collects until what was told meanwhile has been let go of. References that are weak are cleared too early to tell."""
    done = syncpoint.open("host:0").stream()
    for _ in range(200):
        gc.collect()
        if not any(isinstance(each, Owner) for each in gc.get_objects()):
            return True
        # A turn of the threads that tell.
        done.enqueue(int).result(timeout=LONG)
        done.record().future().result(timeout=LONG)
    return False


@pytest.mark.parametrize("kind", KINDS)
def test_who_only_waits_for_itself_is_told_and_collected(device, kind):
    owner = Owner(device, kind)
    point = owner.gate.point
    del owner
    gc.collect()
    with pytest.raises(syncpoint.MisuseError, match="dropped unopened"):
        point.synchronize(timeout=LONG)
    assert isinstance(outcomes.get(timeout=LONG), syncpoint.Error)
    assert is_gone()


@pytest.mark.parametrize("kind", KINDS)
def test_who_can_still_be_opened_is_not_touched(device, kind):
    owner = Owner(device, kind)
    gate, others = owner.gate, [owner.other] if kind == "work_behind_two_gates" else []
    reference, point = weakref.ref(owner), gate.point
    del owner
    for _ in range(3):
        gc.collect()
    assert reference() is not None and not point.query()
    for each in (*others, gate):
        each.open()
    assert outcomes.get(timeout=LONG) is None
    # The gate holds nothing that has been called.
    assert is_gone()
    point.synchronize(timeout=LONG)


def test_a_callback_of_somebody_else_is_called_when_the_cycle_goes(device):
    class Knot:
        def __init__(self):
            self.me, self.gate = self, syncpoint.Gate()

    knot, told = Knot(), queue.SimpleQueue()
    knot.gate.point.add_done_callback(told.put)
    future = knot.gate.point.future()
    del knot
    gc.collect()
    assert isinstance(told.get(timeout=LONG), syncpoint.MisuseError)
    assert isinstance(future.exception(timeout=LONG), syncpoint.MisuseError)


def test_an_owner_that_opens_its_gate_as_it_goes_may(device):
    class Opens:
        def __init__(self, gate):
            self.me, self.gate = self, gate

        def __del__(self):
            self.gate.open()

    gate = syncpoint.Gate()
    point = gate.point
    opens = Opens(gate)
    del gate, opens
    gc.collect()
    point.synchronize(timeout=LONG)


def test_work_that_is_behind_no_gate_any_more_is_held_by_its_stream(device):
    owner, blocked = Owner(device, "callback"), syncpoint.Gate()
    owner.stream.wait(blocked.point)
    owner.gate.open()
    assert outcomes.get(timeout=LONG) is None
    owner.stream.enqueue(owner.tell, None)
    reference = weakref.ref(owner)
    del owner
    gc.collect()
    assert reference() is not None
    blocked.open()
    assert outcomes.get(timeout=LONG) is None
    assert is_gone()


@pytest.mark.parametrize("how", ["callback", "wait"])
def test_what_is_behind_an_event_that_was_recorded_elsewhere_since_is_not_the_gates(device, how):
    owner, other, beside = Owner(device, "nothing"), device.stream(), device.stream()
    event, blocked = syncpoint.Event(), threading.Event()
    other.enqueue(blocked.wait, LONG)
    event.record(owner.stream)
    event.record(other)
    if how == "callback":
        event.add_done_callback(owner.tell)
    else:
        beside.wait_event(event)
        beside.enqueue(owner.tell, None)
    reference, point = weakref.ref(owner), owner.gate.point
    del owner
    gc.collect()
    assert reference() is not None and not point.query()
    blocked.set()
    assert outcomes.get(timeout=LONG) is None
    assert is_gone()
