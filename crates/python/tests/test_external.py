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


NAMES = ["given out", "taken in", "ours", "defaults", "numbered"]


@on_stand_in
@pytest.mark.parametrize("program", [GIVEN_OUT, TAKEN_IN, OURS, DEFAULTS, NUMBERED], ids=NAMES)
def test_streams_go_to_other_programs_and_come_from_them(program):
    assert told_on_stand_in(program) == "ok\n"


@pytest.mark.parametrize("number", [0, -2])
def test_numbers_that_dlpack_does_not_allow_are_refused(number):
    with pytest.raises(ValueError, match="no stream of DLPack's"):
        syncpoint.from_dlpack_stream(number)


def test_an_object_that_is_no_stream_is_refused():
    with pytest.raises(TypeError, match="__cuda_stream__, but got int"):
        syncpoint.as_stream(3)


def test_a_stream_of_the_host_has_no_handle(stream):
    with pytest.raises(NotImplementedError, match="native handle"):
        stream.__cuda_stream__()
