"""`syncpoint.mps` as torch has `torch.mps`, and `EventPool`, on the host as the default backend."""

import copy
import gc
import inspect
import pickle
import threading

import pytest
from conftest import BACKEND, LONG

import syncpoint
from syncpoint import mps


@pytest.fixture(autouse=True)
def backend():
    syncpoint.set_default_backend(BACKEND)
    yield
    mps.set_stream(mps.default_stream())
    syncpoint.set_default_backend(None)


@pytest.fixture
def pool():
    return syncpoint.EventPool(BACKEND)


@pytest.fixture
def held():
    """A stream that waits for a gate, and the gate."""
    stream, gate = syncpoint.Stream(BACKEND), syncpoint.Gate()
    stream.wait(gate.point)
    return stream, gate


# Section 3.6: events.


def test_signatures_are_torchs():
    told = {
        mps.Event: "(enable_timing=False)",
        mps.Event.record: "(self)",
        mps.Event.wait: "(self)",
        mps.Event.query: "(self)",
        mps.Event.elapsed_time: "(self, end_event)",
        mps.stream: "(stream)",
        mps.set_stream: "(stream)",
        mps.current_stream: "()",
        mps.default_stream: "()",
    }
    for function, signature in told.items():
        parameters = inspect.signature(function).parameters.values()
        bare = [each.replace(annotation=each.empty) for each in parameters]
        assert str(inspect.Signature(bare)) == signature


def test_an_event_that_was_never_recorded_is_not_complete_and_waited_for_by_nobody():
    event = mps.Event()
    assert event.query() is False
    assert event.synchronize() is None and event.wait() is None


def test_an_event_is_complete_once_it_is_waited_for():
    event = mps.Event()
    assert event.record() is None
    event.synchronize(timeout=LONG)
    assert event.query() is True


def test_elapsed_time_waits_for_both_and_may_be_asked_again():
    start, end = mps.Event(enable_timing=True), mps.Event(enable_timing=True)
    start.record()
    mps.default_stream().delay(0.002)
    end.record()
    assert start.elapsed_time(end) >= 1.99
    assert start.elapsed_time(end) == start.elapsed_time(end)
    assert start.elapsed_time(start) == 0.0


def test_elapsed_time_is_refused_in_torchs_order_and_words():
    untimed, timed = mps.Event(), mps.Event(enable_timing=True)
    timed.record()
    for start, end in ((untimed, mps.Event(enable_timing=True)), (timed, untimed)):
        with pytest.raises(RuntimeError, match="^Events were not created with argument 'enable_timing=True'$"):
            start.elapsed_time(end)
    with pytest.raises(RuntimeError, match="^Both events must be recorded before calculating elapsed time$"):
        timed.elapsed_time(mps.Event(enable_timing=True))


def test_an_end_that_came_before_its_start_is_refused_by_their_numbers():
    start, end = (mps._mps_acquireEvent(True) for _ in range(2))
    mps._mps_recordEvent(end)
    mps.default_stream().delay(0.002)
    mps._mps_recordEvent(start)
    with pytest.raises(RuntimeError, match=f"^End event {end} was not recorded after start event {start}$"):
        mps._mps_elapsedTimeOfEvents(start, end)


def test_events_are_of_the_default_stream_only():
    event = mps.Event()
    with mps.stream(mps.Stream()):
        for refused in (event.record, event.wait):
            with pytest.raises(NotImplementedError, match="^Non-default streams are not yet supported.$"):
                refused()
    event.record()


def test_an_event_is_not_copied_so_that_its_number_is_given_back_once():
    for refused in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="^cannot pickle 'Event' object$"):
            refused(mps.Event())


def test_an_event_gives_its_number_back_when_it_is_dropped(capfd):
    event = mps.Event()
    number = event._Event__eventId
    del event
    gc.collect()
    with pytest.raises(RuntimeError, match=f"^Invalid Event ID: {number}$"):
        mps._mps_queryEvent(number)
    released = mps.Event()
    mps._mps_releaseEvent(released._Event__eventId)
    del released
    gc.collect()
    assert capfd.readouterr() == ("", "")


# Section 3.6: by number.


def test_an_event_is_used_by_its_number():
    number = mps._mps_acquireEvent(False)
    assert number > 0 and mps._mps_queryEvent(number) is False
    mps._mps_recordEvent(number)
    mps._mps_waitForEvent(number)
    mps._mps_synchronizeEvent(number)
    assert mps._mps_queryEvent(number) is True
    mps._mps_releaseEvent(number)
    mps._mps_emptyCache()


WAITING = {
    "Event.wait": lambda event, _number: event.wait(),
    "_mps_waitForEvent": lambda _event, number: mps._mps_waitForEvent(number),
}


@pytest.mark.parametrize("way", WAITING)
def test_the_default_stream_is_behind_what_it_waits_for(way, held):
    (stream, gate), event, end = held, mps.Event(), mps.Event()
    number = event._Event__eventId
    event._Event__pool.record(number, stream)
    if BACKEND == "cuda":
        # Its default stream is the driver's, on which others launch too: nothing of the host holds that.
        with pytest.raises(NotImplementedError, match="that others launch on too cannot be held for this"):
            WAITING[way](event, number)
        gate.open()
        event.synchronize(timeout=LONG)
        return
    WAITING[way](event, number)
    end.record()
    assert not event.query() and not mps.default_stream().query() and not end.query()
    gate.open()
    end.synchronize(timeout=LONG)
    assert event.query()


def test_a_stream_is_behind_what_it_waits_for_by_number(pool, held):
    (first, gate), second = held, syncpoint.Stream(BACKEND)
    number, end = pool.acquire(), pool.acquire()
    pool.record(number, first)
    pool.wait(number, second)
    pool.record(end, second)
    assert not pool.query(number) and not second.query() and not pool.query(end)
    gate.open()
    pool.synchronize(end, timeout=LONG)
    assert pool.query(number)


def test_a_number_is_never_used_again(pool):
    numbers = []
    for _ in range(100):
        numbers.append(pool.acquire())
        pool.release(numbers[-1])
    assert len(set(numbers)) == 100 and 0 not in numbers


def test_an_event_that_is_used_again_is_as_new(pool):
    number = pool.acquire(enable_timing=True)
    pool.record(number)
    pool.synchronize(number, timeout=LONG)
    pool.release(number)
    again = pool.acquire(enable_timing=True)
    assert again != number and pool.query(again) is False


@pytest.mark.parametrize("number", [0, -1, 10**12])
def test_a_number_that_means_no_event_is_refused_and_locks_nobody_out(pool, number):
    calls = [pool.release, pool.record, pool.wait, pool.synchronize, pool.query, lambda each: pool.elapsed_time(each, each)]
    for call in calls:
        with pytest.raises(syncpoint.MisuseError) as refused:
            call(number)
        assert (str(refused.value), refused.value.reason) == (f"Invalid Event ID: {number}", "stale handle")
    done = threading.Thread(target=lambda: pool.release(pool.acquire()))
    done.start()
    done.join(LONG)
    assert not done.is_alive()


def waited_for(pool, number):
    """Comes back once another thread waits for an event, which the report of a wait that ran out tells."""
    report = ""
    while " waits for point" not in report:
        with pytest.raises(syncpoint.TimedOutError) as late:
            pool.synchronize(number, timeout=0)
        report = late.value.report


def test_an_event_that_is_released_while_it_is_waited_for_stays_until_then(pool, held):
    stream, gate = held
    number, waited = pool.acquire(), []
    pool.record(number, stream)

    def wait():
        pool.synchronize(number, timeout=LONG)
        waited.append(True)

    thread = threading.Thread(target=wait)
    thread.start()
    waited_for(pool, number)
    pool.release(number)
    gate.open()
    thread.join(LONG)
    assert waited == [True]


def test_a_wait_for_the_time_between_events_keeps_nobody_from_the_pool(pool, held):
    stream, gate = held
    start, end = pool.acquire(True), pool.acquire(True)
    pool.record(start, stream)
    pool.record(end, stream)
    thread = threading.Thread(target=lambda: pool.elapsed_time(start, end))
    thread.start()
    pool.release(pool.acquire())
    assert not pool.query(end)
    gate.open()
    thread.join(LONG)
    assert not thread.is_alive()


def test_an_event_of_a_pool_goes_back_when_nobody_has_it(pool):
    event = pool.event(enable_timing=True)
    assert isinstance(event, syncpoint.Event) and event.query()
    event.record()
    event.synchronize(timeout=LONG)
    del event
    assert pool.event(enable_timing=True).event_id == 0
    pool.empty_cache()


def test_a_pool_says_what_it_has(pool):
    assert repr(pool) == f"<syncpoint.EventPool device={BACKEND}:0 acquired=0 idle=0>"
    assert pool.device == syncpoint.open(f"{BACKEND}:0")


def test_an_emptied_pool_has_dropped_what_nobody_had_and_kept_what_was_lent(pool):
    kept, event = pool.acquire(), pool.event()
    for number in [pool.acquire() for _ in range(3)]:
        pool.release(number)
    pool.record(kept)
    assert repr(pool).endswith(" acquired=1 idle=3>")
    pool.empty_cache()
    assert repr(pool).endswith(" acquired=1 idle=0>")
    pool.synchronize(kept, timeout=LONG)
    event.record()
    event.synchronize(timeout=LONG)
    pool.release(kept)
    del event
    assert repr(pool).endswith(" acquired=0 idle=2>")


def test_a_time_of_work_that_failed_is_refused_in_torchs_words():
    start, end = mps.Event(enable_timing=True), mps.Event(enable_timing=True)
    pool, numbers = start._Event__pool, (start._Event__eventId, end._Event__eventId)
    stream, gate = syncpoint.Stream(BACKEND), syncpoint.Gate()
    stream.wait(gate.point)
    for number in numbers:
        pool.record(number, stream)
    gate.fail("the kernel is broken")
    for refused in (lambda: start.elapsed_time(end), lambda: mps._mps_elapsedTimeOfEvents(*numbers)):
        with pytest.raises(syncpoint.FailedError) as failure:
            refused()
        assert str(failure.value) == "MPS event timing failed because the GPU work for an event did not complete"
        assert "the kernel is broken" in str(failure.value.__cause__) and failure.value.origin == failure.value.__cause__.origin
    # A device tells the failure of any of its streams.
    stream.recover()


# Section 3.6: streams.


def test_streams_have_numbers_from_1_to_32():
    numbers = {mps.Stream().stream_id for _ in range(32)}
    assert numbers == set(range(1, 33))
    assert mps.Stream(stream_id=7) == mps.Stream(stream_id=7)
    assert repr(mps.Stream(stream_id=7)) == "<torch.mps.Stream stream_id=7>"
    assert mps.Stream(stream_id=0) == mps.default_stream() and mps.default_stream().stream_id == 0


@pytest.mark.parametrize("number", [33, -1])
def test_a_number_that_no_stream_has_is_refused(number):
    for refused in (lambda: mps.Stream(stream_id=number), lambda: mps._mps_setStream(number)):
        with pytest.raises(RuntimeError, match=f"^stream_id={number} not found$"):
            refused()


def test_a_stream_is_current_until_what_was_is_brought_back():
    stream = mps.Stream(stream_id=3)
    with mps.stream(stream) as entered, mps.stream(None):
        assert entered is stream and mps.current_stream() == stream
        assert mps._mps_getCurrentStream() == 3
    with pytest.raises(KeyError), mps.stream(stream):
        raise KeyError
    assert mps.current_stream() == mps.default_stream()
    mps.set_stream(stream)
    mps.set_stream(None)
    assert mps.current_stream() == stream
    mps._mps_setStream(0)
    assert mps.current_stream() == mps.default_stream()


def test_a_stream_is_waited_for(held):
    (stream, gate), waits = held, mps.Stream()
    waits.wait_stream(stream)
    assert not waits.query()
    with pytest.raises(syncpoint.TimedOutError):
        waits.synchronize(timeout=0)
    threading.Thread(target=gate.open).start()
    assert waits.synchronize(timeout=LONG) is None and waits.query()


def test_a_stream_that_nobody_else_has_has_a_negative_number():
    with mps.stream(syncpoint.Stream(BACKEND)) as own:
        assert mps._mps_getCurrentStream() == mps.current_stream().stream_id == -own.stream_id < 0


def test_all_streams_are_waited_for(held):
    stream, gate = held
    event = stream.record_event()
    threading.Thread(target=gate.open).start()
    mps.synchronize(timeout=LONG)
    assert event.query() and mps.device_count() == 1
