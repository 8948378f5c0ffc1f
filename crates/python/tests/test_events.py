"""Events: recorded, waited for, asked and timed as users of torch know it, and told in its words."""

import pytest
from conftest import LONG

import syncpoint


def recorded(stream, **options):
    event = syncpoint.Event(**options)
    event.record(stream)
    event.synchronize(timeout=LONG)
    return event


def test_an_event_that_was_never_recorded_is_complete_and_waited_for_by_nobody(stream):
    event = syncpoint.Event()
    assert event.query()
    event.synchronize()
    event.wait(stream)
    stream.synchronize(timeout=LONG)
    assert event.device is None


def test_an_event_is_pending_until_what_was_before_it_is_over(stream):
    gate, event = syncpoint.Gate(), syncpoint.Event()
    stream.wait(gate.point)
    event.record(stream)
    assert not event.query()
    gate.open()
    event.synchronize(timeout=LONG)
    assert event.query()


def test_a_stream_waits_for_the_record_of_its_moment_and_not_for_a_later_one(device):
    first, second, waiting = (device.stream() for _ in range(3))
    gate, event = syncpoint.Gate(), syncpoint.Event()
    event.record(first)
    event.wait(waiting)
    second.wait(gate.point)
    event.record(second)
    waiting.synchronize(timeout=LONG)
    assert not event.query()
    gate.open()


def test_elapsed_time_is_in_milliseconds_and_negative_backwards(stream):
    start = recorded(stream, enable_timing=True)
    stream.delay(0.002)
    end = recorded(stream, enable_timing=True)
    assert start.elapsed_time(end) >= 2
    assert end.elapsed_time(start) == -start.elapsed_time(end)


def test_what_keeps_two_events_from_having_a_time_is_checked_in_the_order_of_torch(stream):
    untimed, timed = recorded(stream), recorded(stream, enable_timing=True)
    never = syncpoint.Event(enable_timing=True)
    gate, pending = syncpoint.Gate(), syncpoint.Event(enable_timing=True)
    stream.wait(gate.point)
    pending.record(stream)
    refusals = [
        (untimed, never, ValueError, "Both events must be created with argument 'enable_timing=True'."),
        (timed, never, ValueError, "Both events must be recorded before calculating elapsed time."),
        (timed, pending, RuntimeError, "Both events must be completed before calculating elapsed time."),
    ]
    for start, end, kind, text in refusals:
        with pytest.raises(kind) as refused:
            start.elapsed_time(end)
        assert (type(refused.value), str(refused.value)) == (kind, text)
    gate.open()


def test_a_record_event_of_a_stream_makes_one_where_none_is_given(stream):
    event = stream.record_event()
    assert isinstance(event, syncpoint.Event)
    assert stream.record_event(event) is event
    event.synchronize(timeout=LONG)


def test_options_that_contradict_each_other_are_refused_when_the_event_is_made():
    with pytest.raises(syncpoint.MisuseError) as refused:
        syncpoint.Event(enable_timing=True, interprocess=True)
    assert refused.value.reason == "contradiction"


def test_two_events_are_never_equal(stream):
    assert syncpoint.Event() != syncpoint.Event()
    assert len({syncpoint.Event(), syncpoint.Event()}) == 2
    assert len({syncpoint.cuda.Event, *(stream.record_event() for _ in range(3))}) == 4
    event = stream.record_event()
    assert event == event and hash(event) == hash(event) and {event: 1}[event] == 1


def test_an_event_that_a_stream_makes_has_no_time(stream):
    assert not stream.record_event().enable_timing and not stream.record_event().interprocess


def test_no_stream_waits_for_an_event_that_was_never_recorded_whatever_it_is_of(stream):
    for event in (syncpoint.Event("sim"), syncpoint.Event("sim:1"), syncpoint.Event("sim:0", interprocess=True)):
        assert event.wait(stream) is None and stream.wait_event(event) is None
    assert stream.query() and not stream.is_capturing()
