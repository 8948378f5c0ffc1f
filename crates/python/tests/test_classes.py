"""`syncpoint.classes.cuda` as scripts of torch have `torch.classes.cuda`: section 4."""

import copy
import inspect
import pickle

import pytest
from conftest import BACKEND

import syncpoint
from syncpoint.classes.cuda import Event, Stream


@pytest.fixture(autouse=True)
def backend():
    syncpoint.set_default_backend(BACKEND)
    yield
    syncpoint.set_default_backend(None)


def test_schemas_are_torchs():
    told = {
        Event: "(enable_timing=False, blocking=False, interprocess=False)",
        Event.record: "(self, stream)",
        Event.wait: "(self, stream)",
        Event.query: "(self)",
        Event.synchronize: "(self)",
        Event.elapsed_time: "(self, end)",
        Stream: "(device=None, priority=0)",
        Stream.query: "(self)",
        Stream.synchronize: "(self)",
        Stream.record_event: "(self, event)",
        Stream.wait_event: "(self, event)",
        Stream.wait_stream: "(self, stream)",
        Stream.device_index: "(self)",
        Stream.id: "(self)",
    }
    for function, signature in told.items():
        parameters = inspect.signature(function).parameters.values()
        bare = [each.replace(annotation=each.empty) for each in parameters]
        assert str(inspect.Signature(bare)) == signature


def test_events_order_and_time_streams():
    first, second = Stream(), Stream(None, -1)
    start, end = Event(enable_timing=True), Event(True)
    start.record(first)
    assert second.record_event(end) is end
    second.wait_event(start)
    second.wait_stream(first)
    end.wait(first)
    for each in (first, second, end, start):
        each.synchronize()
        assert each.query()
    assert isinstance(start.elapsed_time(end), float)


ORDERED = {
    "Event.wait": lambda first, second, event: event.wait(second),
    "Stream.wait_event": lambda first, second, event: second.wait_event(event),
    "Stream.wait_stream": lambda first, second, event: second.wait_stream(first),
}


@pytest.mark.parametrize("way", ORDERED)
def test_what_waits_is_behind_what_it_waits_for(way):
    first, second, event, end, gate = Stream(), Stream(), Event(), Event(), syncpoint.Gate()
    first._stream.wait(gate.point)
    event.record(first)
    ORDERED[way](first, second, event)
    end.record(second)
    assert not event.query() and not second.query() and not end.query()
    gate.open()
    end.synchronize()
    assert event.query()


def test_an_event_between_processes_is_not_sent_by_a_script():
    assert not hasattr(Event, "ipc_handle")


def test_an_event_that_was_never_recorded_is_complete():
    event = Event(blocking=True)
    event.wait(Stream())
    event.synchronize()
    assert event.query()


def test_interprocess_and_timing_exclude_each_other():
    with pytest.raises(RuntimeError, match="^Expected !enable_timing to be true, but got false"):
        Event(enable_timing=True, interprocess=True)


def test_elapsed_time_is_refused_as_of_other_events():
    with pytest.raises(ValueError, match="must be created with argument 'enable_timing=True'"):
        Event().elapsed_time(Event())
    with pytest.raises(ValueError, match="must be recorded before"):
        Event(True).elapsed_time(Event(True))
    start, end, stream, gate = Event(True), Event(True), Stream(), syncpoint.Gate()
    start.record(stream)
    stream._stream.wait(gate.point)
    end.record(stream)
    with pytest.raises(RuntimeError, match="must be completed before"):
        start.elapsed_time(end)
    gate.open()
    end.synchronize()
    assert start.elapsed_time(end) >= 0 >= end.elapsed_time(start)


def test_nothing_is_left_out_and_none_is_refused():
    event, stream = Event(), Stream()
    calls = [event.record, event.wait, event.elapsed_time, stream.record_event, stream.wait_event, stream.wait_stream]
    for call in calls:
        with pytest.raises(TypeError):
            call()
        with pytest.raises(TypeError, match="but got NoneType"):
            call(None)


def test_a_stream_tells_where_it_is():
    stream, same = Stream("cuda"), Stream("cuda:0")
    assert stream.device_index() == 0 and stream.device.type == BACKEND
    assert stream.id() != same.id() and stream != same


def test_neither_is_copied_or_pickled():
    for made in (Event(), Stream()):
        for refused in (copy.copy, pickle.dumps):
            with pytest.raises(TypeError, match="^cannot pickle '(Event|Stream)' object$"):
                refused(made)


def test_a_scripting_stream_is_made_current_as_any_other():
    cuda, stream = syncpoint.cuda, Stream()
    with cuda.stream(stream):
        assert cuda.current_stream().stream_id == stream.id()
    before = cuda.current_stream()
    cuda.set_stream(stream)
    assert cuda.current_stream().stream_id == stream.id()
    cuda.set_stream(before)


def test_a_script_reaches_the_streams_of_the_current_device():
    syncpoint.set_default_backend("sim")
    try:
        with syncpoint.cuda.device(1):
            for given in ((), (None,), ("cuda",), ("cuda:1",), (1,)):
                assert Stream(*given).device_index() == 1
            assert Stream("cuda:0").device_index() == 0
            syncpoint.cuda.set_stream(Stream("cuda:0"))
            assert syncpoint.cuda.current_device() == 0 and Stream().device_index() == 0
        assert Stream().device_index() == 0
    finally:
        syncpoint.cuda.set_stream(syncpoint.cuda.default_stream("cuda:0"))
        syncpoint.set_default_backend(BACKEND)


def test_a_priority_is_that_of_the_stream():
    least, greatest = syncpoint.cuda.Stream.priority_range()
    assert Stream()._stream.priority == Stream(None, 5)._stream.priority == least
    assert Stream(None, -99)._stream.priority == Stream(priority=greatest)._stream.priority == greatest


@pytest.mark.parametrize("given", [3, "cuda", object()])
def test_what_is_no_stream_is_made_current_by_nobody(given):
    for refused in (syncpoint.cuda.stream, syncpoint.cuda.set_stream, syncpoint.stream, syncpoint.set_stream):
        with pytest.raises(TypeError, match=f"^expected a stream or None, but got {type(given).__name__}$"):
            refused(given)
