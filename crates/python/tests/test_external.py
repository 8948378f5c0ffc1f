"""Streams of other programs on CUDA: handles, protocols and their owners, on the stand-in driver."""

import pytest
from child import on_stand_in, told_on_stand_in

import syncpoint

GIVEN_OUT = """
import syncpoint
stream = syncpoint.open("cuda:0").stream()
version, handle = stream.__cuda_stream__()
assert version == 0 and handle > 2 and stream.native_handle == handle
assert syncpoint.as_stream(stream) is stream
print("ok")
"""

TAKEN_IN = """
import ctypes, gc, os, weakref, syncpoint

driver = ctypes.CDLL(os.environ["SYNCPOINT_CUDA_LIBRARY"])
device = syncpoint.open("cuda:0")
context = ctypes.c_void_p()
assert driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0) == driver.cuCtxSetCurrent(context) == 0

class Others:
    "A stream that the driver made for somebody else."
    def __init__(self):
        self.handle, self.device = ctypes.c_void_p(), None
        assert driver.cuStreamCreate(ctypes.byref(self.handle), 1) == 0
    def __cuda_stream__(self):
        return 0, self.handle.value

others = Others()
gone = weakref.ref(others)
stream, again = syncpoint.as_stream(others), syncpoint.as_stream(others)
assert stream == again and stream.device.name == "cuda:0"
event = stream.record_event()
event.synchronize(timeout=20)
del others, again
gc.collect()
assert gone() is not None, "the owner is kept while its stream is used"
del stream, event
device.synchronize(timeout=20)
while gone() is not None:
    gc.collect()
print("ok")
"""

OURS = """
import syncpoint
made = syncpoint.open("cuda:0").stream()
assert syncpoint.external_stream(made.native_handle) == made
print("ok")
"""

DEFAULTS = """
import syncpoint
legacy = syncpoint.external_stream(0)
assert legacy == syncpoint.external_stream(1) == syncpoint.from_dlpack_stream(None) == syncpoint.from_dlpack_stream(1)
assert syncpoint.from_dlpack_stream(2) == syncpoint.external_stream(2) != legacy
assert syncpoint.from_dlpack_stream(-1) is None
made = syncpoint.open("cuda:0").stream()
assert syncpoint.from_dlpack_stream(made.native_handle).record() is not None
print("ok")
"""


NUMBERED = """
import ctypes, os, types, syncpoint
made = syncpoint.open("cuda:0").stream()

class Other:
    def __init__(self, **where):
        vars(self).update(where)
    def __cuda_stream__(self):
        return 0, made.native_handle

for other in (Other(), Other(device_id=0), Other(device=types.SimpleNamespace(device_id=0))):
    for given in (None, 0, "cuda", "cuda:0"):
        assert syncpoint.as_stream(other, given) == made
assert syncpoint.external_stream(made.native_handle, 0) == made
assert syncpoint.from_dlpack_stream(made.native_handle, 0) == made
count = syncpoint.cuda.device_count()
for call in (lambda: syncpoint.as_stream(Other(), count), lambda: syncpoint.as_stream(Other(device_id=count)),
             lambda: syncpoint.external_stream(made.native_handle, count)):
    try:
        call()
    except syncpoint.MisuseError as refused:
        assert str(refused) == f"Device index value {count} is out of index range [0, {count})", refused
    else:
        raise AssertionError
print("ok")
"""


BY_POINTER = """
import ctypes, gc, os, syncpoint
from syncpoint import cuda

driver = ctypes.CDLL(os.environ["SYNCPOINT_CUDA_LIBRARY"])
context, others = ctypes.c_void_p(), ctypes.c_void_p()
assert driver.cuInit(0) == 0
assert driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0) == driver.cuCtxSetCurrent(context) == 0
assert driver.cuStreamCreate(ctypes.byref(others), 1) == 0
pointer = others.value
named = [None, 0, "cuda", "cuda:0", syncpoint.open("cuda:0")]
made = [cuda.ExternalStream(pointer, device) for device in named]
made += [cuda.ExternalStream(pointer, device=0), cuda.ExternalStream(stream_ptr=pointer)]
made += [cuda.get_stream_from_external(pointer, device) for device in named]
made += [cuda.Stream(stream_ptr=pointer), cuda.Stream(0, stream_ptr=pointer), cuda.Stream(stream_id=pointer, device_index=0)]
for stream in made:
    assert stream == made[0] == syncpoint.external_stream(pointer) and isinstance(stream, cuda.Stream)
    assert stream.cuda_stream == stream.stream_id == stream.native_handle == stream._as_parameter_.value == pointer
    assert stream.__cuda_stream__() == (0, pointer) and stream.device.name == "cuda:0"
    assert stream.mode == "borrowed" and stream.is_shared
    assert repr(stream) == f"<torch.cuda.Stream device=cuda:0 cuda_stream={pointer:#x}>"
assert type(made[0]) is cuda.ExternalStream and type(made[-1]) is cuda.Stream

# A function of C takes streams and events as they are, and a stream that others hold back is waited for.
assert driver.cuStreamQuery(made[0]) == 0
go = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda _: held.wait(20) and None)
import threading
held = threading.Event()
assert driver.cuLaunchHostFunc(made[0], go, None) == 0
event, behind = made[0].record_event(), cuda.Stream()
behind.wait_stream(made[1])
assert not event.query() and not behind.query() and driver.cuStreamQuery(made[0]) == driver.cuEventQuery(event) == 600
held.set()
behind.synchronize(timeout=20)
assert event.query() and driver.cuEventQuery(event) == driver.cuStreamQuery(made[0]) == 0

# It is whoever made it that ends it.
del stream, made, event, behind
gc.collect()
syncpoint.synchronize("cuda", timeout=20)
assert driver.cuStreamQuery(others) == 0 == driver.cuStreamDestroy_v2(others)
print("ok")
"""


CAPTURED = """
import ctypes, os, syncpoint
from syncpoint import cuda

driver = ctypes.CDLL(os.environ["SYNCPOINT_CUDA_LIBRARY"])
graph = ctypes.c_void_p()
RELAXED = 2
for stream in (cuda.Stream(), syncpoint.open("cuda:0").stream()):
    handle = ctypes.c_void_p(stream.native_handle)
    again = cuda.ExternalStream(stream.native_handle)
    with syncpoint.stream(stream):
        assert not stream.is_capturing() and not again.is_capturing() and not cuda.is_current_stream_capturing()
        assert driver.cuStreamBeginCapture_v2(handle, RELAXED) == 0
        assert stream.is_capturing() is True and again.is_capturing() is True
        assert cuda.is_current_stream_capturing() is True and not cuda.Stream().is_capturing()
        with cuda.stream(cuda.Stream()):
            assert cuda.is_current_stream_capturing() is False
        assert driver.cuStreamEndCapture(handle, ctypes.byref(graph)) == 0
        assert not stream.is_capturing() and not cuda.is_current_stream_capturing()
print("ok")
"""


NAMES = ["given out", "taken in", "ours", "defaults", "numbered", "by pointer", "captured"]


@on_stand_in
@pytest.mark.parametrize("program", [GIVEN_OUT, TAKEN_IN, OURS, DEFAULTS, NUMBERED, BY_POINTER, CAPTURED], ids=NAMES)
def test_streams_go_to_other_programs_and_come_from_them(program):
    assert told_on_stand_in(program) == "ok\n"


@pytest.mark.parametrize("number", [0, -2])
def test_numbers_that_dlpack_does_not_allow_are_refused(number):
    with pytest.raises(ValueError, match="no stream of DLPack's"):
        syncpoint.from_dlpack_stream(number)


def test_an_object_that_is_no_stream_is_refused():
    with pytest.raises(TypeError, match="__cuda_stream__, but got int"):
        syncpoint.as_stream(3)


@pytest.mark.parametrize("version", [1, -1, 2**40])
def test_a_version_of_the_protocol_that_is_not_known_is_refused(version):
    class Later:
        def __cuda_stream__(self):
            return version, 0x5570

    with pytest.raises(TypeError, match=f"^Later speaks version {version} of __cuda_stream__; version 0 is known here$"):
        syncpoint.as_stream(Later())


def test_a_stream_of_the_host_has_no_handle(stream):
    with pytest.raises(NotImplementedError, match="native handle"):
        stream.__cuda_stream__()
