"""`syncpoint.cuda` as torch has `torch.cuda`: on the host as the default backend, and on CUDA where a driver is named."""

import copy
import ctypes
import gc
import inspect
import os
import pickle
import subprocess
import sys
import threading
import weakref

import pytest
from conftest import BACKEND, LONG

import syncpoint
from syncpoint import cuda


@pytest.fixture(autouse=True)
def backend():
    syncpoint.set_default_backend(None if BACKEND == "cuda" else BACKEND)
    cuda.set_stream(cuda.default_stream())
    yield
    cuda.set_stream(cuda.default_stream())
    cuda.set_sync_debug_mode(0)
    syncpoint.set_default_backend(None)


def own():
    """A stream that nobody else has, for what others must not disturb."""
    return syncpoint.Stream(BACKEND)


def recorded(stream=None, **options):
    event = cuda.Event(**options)
    event.record(stream or own())
    event.synchronize(timeout=LONG)
    return event


def held(stream):
    gate = syncpoint.Gate()
    stream.wait(gate.point)
    return gate


#: Torch's signatures; what is there beside them has a default.
SIGNATURES = {
    cuda.Event: "(enable_timing=False, blocking=False, interprocess=False, external=False)",
    cuda.Event.record: "(self, stream=None)",
    cuda.Event.wait: "(self, stream=None)",
    cuda.Event.elapsed_time: "(self, end_event)",
    cuda.Event.from_ipc_handle: "(device, handle)",
    cuda.Stream: "(device=None, priority=0, **kwargs)",
    cuda.Stream.wait_event: "(self, event)",
    cuda.Stream.wait_stream: "(self, stream)",
    cuda.Stream.record_event: "(self, event=None)",
    cuda.Stream.priority_range: "()",
    cuda.ExternalStream: "(stream_ptr, device=None, **kwargs)",
    cuda.StreamContext: "(stream)",
    cuda.current_stream: "(device=None)",
    cuda.default_stream: "(device=None)",
    cuda.set_stream: "(stream)",
    cuda.stream: "(stream)",
    cuda.get_stream_from_external: "(data_ptr, device=None)",
    cuda.is_current_stream_capturing: "()",
    cuda.set_sync_debug_mode: "(debug_mode)",
    cuda.get_sync_debug_mode: "()",
    cuda.set_device: "(device)",
    cuda.device: "(device)",
    cuda.current_device: "()",
    cuda.device_count: "()",
    cuda.is_available: "()",
    cuda.synchronize: "(device=None, timeout=None)",
    cuda.Stream.synchronize: "(self, timeout=None)",
}


@pytest.mark.parametrize("function", SIGNATURES, ids=lambda function: function.__qualname__)
def test_signatures_are_torchs(function):
    signature = inspect.signature(function)
    bare = [each.replace(annotation=each.empty) for each in signature.parameters.values()]
    # That a method of Rust does not take `self` by its name makes no difference to anybody.
    assert str(inspect.Signature(bare)).replace("(self, /, ", "(self, ") == SIGNATURES[function]


def test_of_an_event_at_hand_a_signature_leaves_the_event_out():
    event, stream = cuda.Event(), own()
    for method in (event.record, event.wait):
        assert [*inspect.signature(method).parameters] == ["stream"]
        assert inspect.signature(method).bind(stream).arguments == {"stream": stream}


class Guise:
    _stream = None


@pytest.mark.parametrize("given", [3, "stream", Guise()])
def test_what_is_no_stream_is_not_made_current_whatever_it_looks_like(given):
    for refused in (cuda.set_stream, cuda.stream, syncpoint.set_stream, syncpoint.stream):
        with pytest.raises(TypeError) as raised:
            refused(given)
        assert str(raised.value) == f"expected a stream or None, but got {type(given).__name__}"


# Section 3.3: Stream.


def test_streams_and_events_are_of_the_classes_of_syncpoint():
    assert isinstance(cuda.Stream(), syncpoint.Stream) and isinstance(cuda.Event(), syncpoint.Event)


def test_a_stream_is_one_of_32_of_its_priority():
    streams = [cuda.Stream() for _ in range(33)]
    assert len(set(streams)) == 32 and streams[0] == streams[32]
    assert hash(streams[0]) == hash(streams[32])
    assert cuda.Stream(priority=-1) not in streams


def test_a_stream_says_that_it_is_shared():
    assert cuda.Stream().is_shared and cuda.default_stream().is_shared
    assert not own().is_shared


def test_a_stream_is_had_again_by_its_numbers():
    for stream in (cuda.Stream(), cuda.Stream(priority=-1), cuda.default_stream()):
        numbers = {name: getattr(stream, name) for name in ("stream_id", "device_index", "device_type")}
        assert cuda.Stream(**numbers) == stream
    with pytest.raises(RuntimeError, match="^stream_id=4093 not found$"):
        cuda.Stream(stream_id=4093, device_index=0, device_type=1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'foo'"):
        cuda.Stream(foo=1)


REFUSED = [
    ({"stream_id": -7}, RuntimeError, "stream_id=-7 not found"),
    ({"stream_id": -8}, RuntimeError, "stream_id=-8 not found"),
    ({"device_index": 0}, TypeError, "device_index tells whose a stream_id is; give that too, or name a device"),
    ({"device_type": 1}, TypeError, "device_type tells whose a stream_id is; give that too, or name a device"),
    ({"stream_id": 0, "device_type": 13}, ValueError, "Expected a cuda device, but got device type 13"),
    ({"stream_ptr": 0, "priority": -1}, RuntimeError, "Priority was explicitly set for an external stream"),
    ({"stream_id": 0, "priority": -1}, TypeError, "priority is that of the stream that stream_id means; give none beside it"),
    ({"stream_id": 3, "stream_ptr": 0}, TypeError, "stream_id is told by stream_ptr; give one of the two"),
    ({"stream_ptr": 0, "device_index": 0}, TypeError, "device_index is told by stream_ptr; give one of the two"),
    ({"stream_ptr": 0, "colour": 1}, TypeError, "Stream() got an unexpected keyword argument 'colour'"),
    ({"colour": 1}, TypeError, "Stream() got an unexpected keyword argument 'colour'"),
]


@pytest.mark.parametrize("keywords, kind, text", REFUSED)
def test_what_a_stream_is_made_of_is_used_or_refused(keywords, kind, text):
    with pytest.raises(kind) as refused:
        cuda.Stream(**keywords)
    assert (type(refused.value), str(refused.value)) == (kind, text)


def test_a_priority_is_clamped_to_those_of_the_device():
    least, greatest = cuda.Stream.priority_range()
    assert least == 0 and -3 <= greatest <= 0
    assert cuda.Stream(priority=5).priority == 0
    assert cuda.Stream(priority=-99).priority == greatest


@pytest.mark.parametrize("device", [None, 0, "cuda", "cuda:0"])
def test_a_device_is_given_as_to_torch(device):
    stream = cuda.Stream(device)
    assert stream.device.type == BACKEND and stream.device_index == 0
    assert cuda.current_stream(device).device == cuda.default_stream(device).device == stream.device
    assert cuda.Stream(stream.device).device == stream.device


#: What stands in for CUDA is refused by no name of its own.
OTHERS = [each for each in ("cpu", "vulkan:0", "mps", "sim:0") if each.partition(":")[0] != BACKEND]


@pytest.mark.parametrize("device", OTHERS)
def test_a_device_of_another_kind_is_refused(device):
    for refused in (cuda.Stream, cuda.current_stream, cuda.default_stream, cuda.synchronize, cuda.set_device, cuda.device):
        with pytest.raises(ValueError, match=f"^Expected a cuda device, but got: {device}$"):
            refused(device)


def test_a_stream_tells_its_handle_by_every_protocol():
    stream = cuda.Stream()
    handle = stream.cuda_stream
    assert handle > 0
    assert stream.__cuda_stream__() == (0, handle)
    assert isinstance(stream._as_parameter_, ctypes.c_void_p) and stream._as_parameter_.value == handle
    assert repr(stream) == f"<torch.cuda.Stream device={BACKEND}:0 cuda_stream={handle:#x}>"


def test_a_repr_gives_no_handle_out():
    stream = cuda.Stream(priority=-1)
    for made in (cuda.Stream(priority=-1), stream):
        assert repr(made).startswith("<torch.cuda.Stream device=")
        assert made.mode == "managed"


def test_a_stream_asks_and_waits():
    stream = own()
    gate, stream = held(stream), syncpoint.Stream.__new__(cuda.Stream, stream)
    assert not stream.query()
    gate.open()
    assert stream.synchronize() is None
    assert stream.query()


def test_a_stream_waits_for_whatever_has_a_wait():
    class Waits:
        def wait(self, stream):
            self.stream = stream

    stream, waits = cuda.Stream(), Waits()
    stream.wait_event(waits)
    assert waits.stream is stream


def test_a_stream_waits_for_another():
    first, second = own(), own()
    first, second = (syncpoint.Stream.__new__(cuda.Stream, each) for each in (first, second))
    gate = held(first)
    second.wait_stream(first)
    event = second.record_event()
    assert isinstance(event, cuda.Event) and not event.query()
    assert second.record_event(event) is event
    gate.open()
    event.synchronize(timeout=LONG)


def test_streams_are_compared_with_anything():
    stream = cuda.Stream()
    assert stream == syncpoint.Stream(stream) and stream != own() and stream != 3 and stream is not None
    assert weakref.ref(stream)() is stream


def test_a_pointer_is_a_number_and_has_no_priority():
    with pytest.raises(RuntimeError, match="^stream_ptr must be an int or None, got str$"):
        cuda.ExternalStream("0")
    with pytest.raises(RuntimeError, match="^Priority was explicitly set for an external stream$"):
        cuda.ExternalStream(0, priority=-1)
    for default in (cuda.ExternalStream(0), cuda.ExternalStream(None), cuda.get_stream_from_external(0)):
        assert default == cuda.default_stream()


# Section 3.4: Event.


def test_an_event_is_nothing_until_it_is_recorded():
    event = cuda.Event()
    assert (event.cuda_event, event.event_id, event.device) == (0, 0, None)
    assert repr(event) == "<torch.cuda.Event uninitialized>"
    assert event._as_parameter_.value is None
    assert event.query() and event.synchronize() is None and event.wait() is None


def test_an_event_tells_its_handle():
    event = recorded()
    assert event.cuda_event > 0 and event._as_parameter_.value == event.cuda_event
    assert repr(event) == f"<torch.cuda.Event {event.cuda_event:#x}>"
    assert event.device.type == BACKEND


def test_an_event_is_recorded_on_the_current_stream_and_waited_for_there():
    stream, event = own(), cuda.Event()
    gate = held(stream)
    with cuda.stream(stream):
        event.record()
    other = own()
    with cuda.stream(other):
        event.wait()
    assert not event.query() and not other.query()
    gate.open()
    other.synchronize(timeout=LONG)
    assert event.query()


def test_what_is_no_stream_is_refused():
    event = cuda.Event()
    for refused in (event.record, event.wait):
        with pytest.raises(RuntimeError, match="^expected stream to be a torch.Stream or torch.cuda.Stream object$"):
            refused(3)


def test_a_stream_of_another_kind_of_device_is_refused():
    other = syncpoint.Stream("host:0" if BACKEND == "sim" else "sim:0")
    for record in (lambda: cuda.Event().record(other), syncpoint.Stream.__new__(cuda.Stream, other).record_event):
        with pytest.raises(RuntimeError) as refused:
            record()
        assert str(refused.value) == "Expected stream_.device_type() == DeviceType::CUDA to be true, but got false."


def test_elapsed_time_is_checked_in_torchs_order():
    stream = own()
    untimed, timed, never = recorded(stream), recorded(stream, enable_timing=True), cuda.Event(enable_timing=True)
    pending, gate = cuda.Event(enable_timing=True), held(stream)
    pending.record(stream)
    refusals = [
        (untimed, never, ValueError, "Both events must be created with argument 'enable_timing=True'."),
        (timed, never, ValueError, "Both events must be recorded before calculating elapsed time."),
        (timed, pending, RuntimeError, "Both events must be completed before calculating elapsed time."),
        (timed, syncpoint.Event(enable_timing=True), RuntimeError, "expected other to be a torch.cuda.Event object"),
        (timed, 3, RuntimeError, "expected other to be a torch.cuda.Event object"),
    ]
    for start, end, kind, text in refusals:
        with pytest.raises(kind) as refused:
            start.elapsed_time(end)
        assert (type(refused.value), str(refused.value)) == (kind, text)
    gate.open()


def test_elapsed_time_is_in_milliseconds_and_zero_to_itself():
    stream = own()
    start = recorded(stream, enable_timing=True)
    stream.delay(0.002)
    end = recorded(stream, enable_timing=True)
    assert start.elapsed_time(end) >= 1.99
    assert end.elapsed_time(start) == -start.elapsed_time(end)
    assert start.elapsed_time(end_event=start) == 0.0


@pytest.mark.parametrize("made, name", [(cuda.Event, "Event"), (cuda.Stream, "Stream")])
def test_neither_is_copied_or_pickled(made, name):
    for refused in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match=f"^cannot pickle '{name}' object$"):
            refused(made())


def test_timing_and_interprocess_contradict_each_other_at_once():
    with pytest.raises(syncpoint.MisuseError):
        cuda.Event(enable_timing=True, interprocess=True)


EXTERNAL = [
    lambda **options: cuda.Event(external=True, **options),
    lambda **options: syncpoint.Event(external=True, **options),
    lambda **options: syncpoint.Event(BACKEND, external=True, **options),
]


@pytest.mark.parametrize("made", EXTERNAL)
def test_an_external_event_is_of_the_device_that_it_is_recorded_on_first(made):
    event, stream, other = made(), own(), own()
    assert event.device is None and event.event_id == 0 and event.query()
    event.wait(stream)
    event.synchronize(timeout=LONG)
    if not syncpoint.capabilities(BACKEND).external:
        with pytest.raises(NotImplementedError, match="external"):
            event.record(stream)
        assert event.event_id == 0
        return
    stream.delay(0.001)
    event.record(stream)
    assert event.device == stream.device and event.event_id > 0
    event.wait(other)
    other.synchronize(timeout=LONG)
    event.synchronize(timeout=LONG)
    assert event.query()
    assert stream.record_event(made()).device == stream.device


@pytest.mark.parametrize("made", [*EXTERNAL, lambda **options: syncpoint.open(f"{BACKEND}:0").event(external=True, **options)])
def test_an_external_event_is_not_timed_and_says_so_at_once(made):
    with pytest.raises(NotImplementedError, match="an external event is not timed"):
        made(enable_timing=True)


def test_no_driver_is_asked_for_what_an_event_looks_like():
    device = syncpoint.open(f"{BACKEND}:0")
    events = [recorded()]
    if device.capabilities.external:
        # Whether such is complete only the driver knows, whenever it is asked.
        events.append(device.event(external=True))
        events[-1].record(own())
        events[-1].synchronize(timeout=LONG)
    device.synchronize(timeout=LONG)
    before = asked()
    for event in events:
        assert repr(event) and event.event_id and event.device and not event.enable_timing and not event.interprocess
        assert not isinstance(event, cuda.Event) or event.cuda_event
    assert asked() == before


def asked():
    """How often the stand-in driver was asked about an event; never where there is none."""
    if BACKEND != "cuda":
        return 0
    count = ctypes.CDLL(os.environ["SYNCPOINT_CUDA_LIBRARY"]).syncpointFakeCount
    count.restype = ctypes.c_uint64
    return count(b"cuEventQuery")


WAITS = """
import sys, syncpoint
from syncpoint import cuda
event = cuda.Event.from_ipc_handle("cuda:0", bytes.fromhex(sys.argv[1]))
assert type(event) is cuda.Event
stream = syncpoint.Stream(sys.argv[2])
event.wait(stream)
print(event.query(), flush=True)
stream.synchronize(timeout=20)
event.synchronize(timeout=20)
print(event.query())
"""


def test_an_event_is_waited_for_in_another_process_by_its_handle():
    if not syncpoint.capabilities(BACKEND).interprocess:
        pytest.skip("no events between processes here")
    stream, event = own(), cuda.Event(interprocess=True)
    gate = held(stream)
    event.record(stream)
    handle = event.ipc_handle()
    assert isinstance(handle, bytes) and len(handle) == 64
    for given in (handle, bytearray(handle), memoryview(handle)):
        assert type(cuda.Event.from_ipc_handle(0, given)) is cuda.Event
        assert syncpoint.Event.from_ipc_handle(BACKEND, given).device == stream.device
    environment = os.environ if BACKEND == "cuda" else {**os.environ, "SYNCPOINT_DEFAULT_BACKEND": BACKEND}
    arguments = [sys.executable, "-c", WAITS, handle.hex(), BACKEND]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout.readline() == "False\n"
        gate.open()
        told, complained = child.communicate(timeout=LONG)
    assert (child.returncode, told, complained) == (0, "True\n", "")


def test_an_event_of_one_process_has_no_handle_for_others():
    with pytest.raises(syncpoint.MisuseError) as refused:
        recorded().ipc_handle()
    assert refused.value.reason == "not interprocess"


@pytest.mark.parametrize("handle, size", [(b"short", 5), (bytearray(3), 3), (memoryview(b"four"), 4), (b"", 0), ("x" * 64, "str")])
def test_a_handle_is_64_bytes(handle, size):
    with pytest.raises(RuntimeError, match=f"^cudaIpcEventHandle_t expects byte-like object of size 64, but got {size}$"):
        cuda.Event.from_ipc_handle(0, handle)


def test_a_handle_is_opened_on_cuda_only():
    with pytest.raises(RuntimeError, match="^Event can only be created on CUDA devices, but got device type cpu$"):
        cuda.Event.from_ipc_handle("cpu", bytes(64))


def test_two_events_are_never_equal():
    assert cuda.Event() != cuda.Event()


# Section 3.5: functions.


def test_a_current_stream_is_a_new_object_each_time_equal_to_those_of_before():
    first, second = cuda.current_stream(), cuda.current_stream()
    assert first is not second and first == second and isinstance(first, cuda.Stream)
    assert first == cuda.default_stream() and first.stream_id == first.cuda_stream == 0


def test_a_stream_is_set_and_none_changes_nothing():
    stream = cuda.Stream()
    cuda.set_stream(stream)
    cuda.set_stream(None)
    assert cuda.current_stream() == stream
    with cuda.stream(None) as nothing:
        assert nothing is None and cuda.current_stream() == stream


def test_a_context_is_entered_again_while_it_is_entered():
    context, stream = cuda.stream(cuda.Stream()), cuda.Stream(priority=-1)
    with context, cuda.stream(stream), context:
        assert cuda.current_stream() == context.stream
    assert cuda.current_stream() == cuda.default_stream()


def test_a_context_brings_back_what_was_also_after_an_error():
    with pytest.raises(KeyError), cuda.stream(cuda.Stream()):
        raise KeyError
    assert cuda.current_stream() == cuda.default_stream()


def test_a_new_thread_begins_on_the_default_stream():
    seen = []
    with cuda.stream(cuda.Stream()):
        thread = threading.Thread(target=lambda: seen.append(cuda.current_stream()))
        thread.start()
        thread.join(LONG)
    assert seen == [cuda.default_stream()]


def test_a_whole_device_is_waited_for():
    stream, event = own(), cuda.Event()
    gate = held(stream)
    event.record(stream)
    threading.Thread(target=gate.open).start()
    assert cuda.synchronize() is None
    assert event.query()


@pytest.mark.parametrize("mode, number", [("default", 0), ("warn", 1), ("error", 2), (0, 0), (1, 1), (2, 2)])
def test_a_wait_for_a_stream_is_told_as_the_mode_says(mode, number):
    cuda.set_sync_debug_mode(mode)
    assert cuda.get_sync_debug_mode() == number
    stream = cuda.Stream()
    if number == 2:
        with pytest.raises(RuntimeError, match="^called a synchronizing CUDA operation$"):
            stream.synchronize()
    elif number == 1:
        with pytest.warns(UserWarning, match="^called a synchronizing CUDA operation$"):
            stream.synchronize()
    else:
        stream.synchronize()
    cuda.Event().synchronize()
    cuda.synchronize()


@pytest.mark.parametrize("mode", [3, -1, "loud"])
def test_another_mode_is_refused(mode):
    with pytest.raises(RuntimeError) as refused:
        cuda.set_sync_debug_mode(mode)
    assert str(refused.value) == "invalid value of debug_mode, expected one of `default`, `warn`, `error`"


def test_no_stream_is_captured_that_nobody_captures():
    assert cuda.is_current_stream_capturing() is False
    assert cuda.Stream().is_capturing() is False


def test_the_current_device_is_set_and_brought_back():
    assert cuda.is_available() and cuda.device_count() >= 1
    assert cuda.current_device() == 0
    with cuda.device(None), cuda.device(-1), cuda.device(0), cuda.device("cuda:0"):
        assert cuda.current_device() == 0
    cuda.set_device(-1)
    cuda.set_device("cuda:0")
    with pytest.raises(RuntimeError, match=r"^Device index value 99 is out of index range \[0, \d+\)$"):
        cuda.set_device(99)


def test_an_event_that_is_dropped_before_its_time_harms_nobody():
    stream = own()
    gate = held(stream)
    for _ in range(100):
        cuda.Event(enable_timing=True).record(stream)
    gc.collect()
    gate.open()
    stream.synchronize(timeout=LONG)
