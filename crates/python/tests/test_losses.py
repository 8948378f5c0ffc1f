"""Devices that are lost, and opened anew by their names, on the stand-in driver."""

from child import on_stand_in, told_on_stand_in

LOST = """
import ctypes, os, syncpoint
from syncpoint import cuda

def refused(call):
    try:
        call()
    except syncpoint.DeviceLostError as lost:
        return str(lost)
    raise AssertionError("it is lost")

driver = ctypes.CDLL(os.environ["SYNCPOINT_CUDA_LIBRARY"])
assert driver.syncpointFakeScript(b"devices=2") == 0
device, stream, event = syncpoint.open("cuda:0"), cuda.Stream(), cuda.Event()
other, default = cuda.Stream("cuda:1"), cuda.current_stream()
event.record(stream)
assert syncpoint.open("cuda:0") == device == stream.device
LOSE
refused(lambda: (event.record(stream), stream.synchronize(timeout=20)))
refused(lambda: event.record(stream))
LATER
# Of the device beside it nothing is lost.
assert syncpoint.open("cuda:1") == other.device
other.record_event().synchronize(timeout=20)
print("ok")
"""

RESET = "assert driver.cuDevicePrimaryCtxReset_v2(0) == 0"
BREAK = """
assert driver.syncpointFakeScript(b"fault 1 719") == 0
stream.delay(0.001)
"""

ANEW = """
anew = syncpoint.open("cuda:0")
assert anew != device and anew.name == device.name and syncpoint.open("cuda:0") == anew
assert cuda.current_stream() != default and cuda.current_stream().device == anew
event = cuda.Event()
event.record()
event.synchronize(timeout=20)
assert event.device == anew and event.query()
for of in (syncpoint.Event("cuda:0"), syncpoint.Event("cuda"), cuda.Stream().record_event(), syncpoint.Stream("cuda").record_event()):
    of.record()
    of.synchronize(timeout=20)
    assert of.device == anew
"""

NEVER = """
assert "begin a new process" in refused(lambda: syncpoint.open("cuda:0"))
assert "begin a new process" in refused(cuda.Stream)
"""


@on_stand_in
def test_the_name_of_a_lost_device_gives_one_that_is_opened_anew():
    assert told_on_stand_in(LOST.replace("LOSE", RESET).replace("LATER", ANEW)) == "ok\n"


@on_stand_in
def test_a_device_that_is_lost_to_the_process_is_refused_by_its_name_too():
    assert told_on_stand_in(LOST.replace("LOSE", BREAK).replace("LATER", NEVER)) == "ok\n"
