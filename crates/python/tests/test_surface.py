"""`Event` and `Stream` as torch has `torch.Event` and `torch.Stream`: members, defaults and texts."""

import copy
import pickle
import threading
import weakref
from types import SimpleNamespace

import pytest
from conftest import LONG

import syncpoint
from syncpoint import Event, Stream

HOST = syncpoint.open("host:0")


def recorded(stream, **options):
    event = Event(**options)
    event.record(stream)
    event.synchronize(timeout=LONG)
    return event


@pytest.mark.parametrize("device", [None, "host", "host:0", "cpu", 0, HOST, SimpleNamespace(type="cpu", index=None)])
def test_a_device_is_given_in_every_way_of_torch(device):
    assert Stream(device).device == Stream(device=device).device == HOST
    event = Event(device)
    event.record()
    assert event.device == HOST


def test_a_device_that_is_none_is_refused():
    with pytest.raises(RuntimeError, match="^Expected one of .*cuda.* device type at start of device string: foo$"):
        Stream("foo")
    with pytest.raises(RuntimeError, match="^Invalid device string: 'host:x'$"):
        Event("host:x")
    with pytest.raises(TypeError, match='give "cuda:0", say'):
        Stream(3.5)


@pytest.mark.parametrize("index", [1, -1, 99])
def test_an_index_out_of_range_is_refused_in_torchs_words(index):
    text = f"Device index value {index} is out of index range [0, 1)"
    for refused in (Stream, Event, syncpoint.current_stream, syncpoint.synchronize):
        with pytest.raises(syncpoint.MisuseError) as raised:
            refused(index)
        assert (str(raised.value), raised.value.reason) == (text, "out of range")


def test_options_are_keywords():
    for made, name in ((Event, "Event"), (Stream, "Stream")):
        with pytest.raises(TypeError, match=rf"^{name}\(\) takes from 0 to 1 positional arguments but 2 were given$"):
            made(None, True)
        with pytest.raises(TypeError, match=rf"^{name}\(\) got an unexpected keyword argument 'colour'$"):
            made(colour=1)


def test_options_beside_an_object_that_has_its_own_are_refused(stream):
    event = Event("host")
    for option in ("enable_timing", "blocking", "interprocess", "external", "native_handle"):
        with pytest.raises(TypeError) as refused:
            Event(event, **{option: True})
        assert str(refused.value) == "an event that is given has its options; give none beside it"
    with pytest.raises(TypeError) as refused:
        Stream(stream, priority=-1)
    assert str(refused.value) == "a stream that is given has its priority; give none beside it"
    assert Stream(stream, priority=0) == stream


def test_a_stream_tells_where_it_is():
    stream = Stream("host", priority=-1)
    assert (stream.device_index, stream.device_type, stream.device) == (0, 0, HOST)
    assert stream.stream_id != Stream("host").stream_id
    assert repr(stream) == f"syncpoint.Stream device_type=host, device_index=0, stream_id={stream.stream_id}"


def test_a_priority_out_of_range_is_clamped():
    least, greatest = HOST.priority_range
    assert Stream(priority=10**6).priority == least
    assert Stream(priority=-(10**6)).priority == greatest


def test_a_driver_without_handles_gives_none():
    with pytest.raises(NotImplementedError, match="getting stream native handle"):
        Stream("host").native_handle


def test_an_event_has_its_id_once_it_is_recorded(stream):
    event = Event(enable_timing=True)
    assert (event.event_id, event.device) == (0, None)
    assert repr(event) == "syncpoint.Event device_type=none, device_index=-1, event_flag=1, event_id=0"
    event.record(stream)
    assert event.event_id > 0
    assert repr(event) == f"syncpoint.Event device_type=host, device_index=0, event_flag=1, event_id={event.event_id}"


def test_an_event_for_a_kind_of_device_is_recorded_on_no_other(stream):
    other = Stream("sim:0")
    text = "Event device type HOST does not match recording stream's device type SIM."
    for record in (lambda event: event.record(other), lambda event: other.record_event(event)):
        event = Event("host")
        with pytest.raises(syncpoint.MisuseError) as refused:
            record(event)
        assert (str(refused.value), refused.value.reason) == (text, "wrong device")
        assert event.event_id == 0
        event.record(stream)


def test_an_event_of_a_device_is_recorded_on_no_other_of_its_kind():
    event = Event("sim:0")
    with pytest.raises(syncpoint.MisuseError) as refused:
        event.record(Stream("sim:1"))
    assert str(refused.value) == "Event device index 0 does not match recording stream's device index 1."


def test_a_stream_of_another_device_may_wait(stream):
    event = recorded(stream)
    event.wait(Stream("sim:0"))


def test_what_is_no_event_is_refused_and_not_looked_at(stream):
    with pytest.raises(RuntimeError, match="^expected event to be a torch.Event object$"):
        stream.record_event(3)
    with pytest.raises(RuntimeError, match="^expected other to be a torch.Event object$"):
        Event(enable_timing=True).elapsed_time(3)
    with pytest.raises(TypeError, match=r"^Event\.elapsed_time\(\) takes no keyword arguments$"):
        Event().elapsed_time(end_event=Event())
    for given in ((), (Event(), Event())):
        with pytest.raises(TypeError, match=rf"^Event\.elapsed_time\(\) takes exactly one argument \({len(given)} given\)$"):
            Event().elapsed_time(*given)
    for refused in (stream.wait_event, stream.wait_stream, Event("host").record, Event("host").wait):
        with pytest.raises(TypeError):
            refused(3)


@pytest.mark.parametrize("made, name", [(Event, "Event"), (Stream, "Stream")])
def test_neither_is_copied_or_pickled(made, name):
    for refused in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match=f"^cannot pickle 'syncpoint.{name}' object$"):
            refused(made("host"))


def test_a_stream_is_compared_with_whatever_there_is(stream):
    same = Stream(stream)
    assert same == stream and not same != stream and hash(same) == hash(stream)
    assert stream != Stream("host") and stream != 3 and stream != "stream" and stream is not None
    with pytest.raises(TypeError):
        stream < same
    assert weakref.ref(stream)() is stream


def test_the_devices_of_two_times_are_compared_first():
    timed = {"enable_timing": True}
    text = "Event device type HOST does not match other's device type SIM."
    pairs = [
        (Event("host"), Event("sim")),
        (Event("host", **timed), Event("sim:0", **timed)),
        (recorded(Stream("host"), **timed), Event("sim")),
        (recorded(Stream("host"), **timed), recorded(Stream("sim:0"), **timed)),
    ]
    for own, other in pairs:
        with pytest.raises(RuntimeError) as refused:
            own.elapsed_time(other)
        assert str(refused.value) == text
    first, second = (recorded(Stream(f"sim:{index}"), **timed) for index in range(2))
    with pytest.raises(RuntimeError) as refused:
        first.elapsed_time(second)
    assert str(refused.value) == "Event device sim:0 does not match other's device sim:1."
    # One that is for any device is not compared by what it is not yet of.
    with pytest.raises(ValueError, match="must be recorded before"):
        first.elapsed_time(Event(**timed))


def test_a_span_tells_its_clock_and_resolution(stream):
    start = recorded(stream, enable_timing=True)
    stream.delay(0.001)
    end = recorded(stream, enable_timing=True)
    span = end - start
    assert span.milliseconds == start.elapsed_time(end) == span.nanoseconds / 1e6 == span.seconds * 1e3
    assert span.clock == syncpoint.capabilities("host").clock
    assert 0 < span.resolution < 1e-3
    assert (start - end).nanoseconds == -span.nanoseconds
    assert (start - end) < span and span == end - start
    with pytest.raises(ValueError, match="enable_timing=True"):
        end - recorded(stream)


def test_a_stream_is_entered_again_and_nested():
    before, outer, inner = syncpoint.current_stream("host"), Stream("host"), Stream("host")
    with outer as entered:
        assert entered is outer
        with inner, outer:
            assert syncpoint.current_stream("host") == outer
        assert syncpoint.current_stream("host") == outer
    assert syncpoint.current_stream("host") == before


def test_a_stream_brings_back_its_device_too():
    one = Stream("sim:1")
    assert syncpoint.current_stream("sim").device.index == 0
    with one:
        assert syncpoint.current_stream("sim") == one
        assert Stream("sim").device.index == 1
    assert syncpoint.current_stream("sim").device.index == 0


def test_an_end_without_a_beginning_is_refused(stream):
    with pytest.raises(RuntimeError, match="^Stream context stack is empty.$"):
        stream.__exit__(None, None, None)


def test_one_stream_is_entered_by_many_threads_at_once():
    shared, faults, together = Stream("host"), [], threading.Barrier(4)
    context = syncpoint.stream(shared)

    def thread():
        for entered in (shared, context):
            together.wait(LONG)
            with entered:
                together.wait(LONG)
                if syncpoint.current_stream("host") != shared:
                    faults.append("inside")
            if syncpoint.current_stream("host") == shared:
                faults.append("outside")

    threads = [threading.Thread(target=thread) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(LONG)
    assert faults == []


def test_a_stream_that_is_set_brings_its_device_with_it():
    first, one = syncpoint.default_stream("sim:0"), Stream("sim:1")
    syncpoint.set_stream(one)
    assert Stream("sim").device == one.device
    syncpoint.set_stream(None)
    assert syncpoint.current_stream("sim") == one
    syncpoint.set_stream(first)
    syncpoint.set_stream(syncpoint.default_stream("sim:1"))
    syncpoint.set_stream(first)
    assert syncpoint.current_stream("sim") == first


def test_the_33rd_shared_stream_is_the_first_and_says_so():
    ring = syncpoint.SharedStreams("host")
    streams = [ring.next() for _ in range(33)]
    assert len(set(streams)) == 32 and streams[32] == streams[0]
    assert all(stream.is_shared for stream in streams)
    assert not Stream("host").is_shared
    assert ring.next(-1).priority == -1 and ring.next(-1) not in streams
    assert ring.next(5).priority == 0


def test_the_default_backend_is_meant_where_no_device_is_named():
    syncpoint.set_default_backend("sim")
    try:
        assert syncpoint.default_backend() == "sim"
        assert Stream().device == Stream(0).device == syncpoint.open("sim:0")
        assert Stream(1).device == syncpoint.open("sim:1")
    finally:
        syncpoint.set_default_backend(None)
    assert Stream().device == HOST
    with pytest.raises(RuntimeError, match="device type at start of device string: toaster"):
        syncpoint.set_default_backend("toaster")


def test_what_a_device_can_do_is_asked():
    host = syncpoint.capabilities("host")
    assert host.timing and not host.native_handle and host.priority_range == HOST.priority_range
    assert host == syncpoint.capabilities() and "timing=True" in repr(host)
    assert host.resolution > 0
