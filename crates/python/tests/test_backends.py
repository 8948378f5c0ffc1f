"""The surface of torch on other backends than the host: on the stand-in driver of CUDA, Vulkan and sim, and where there is none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from child import STAND_IN, on_stand_in, on_vulkan, told

HERE = Path(__file__).parent

#: The tests of torch's names, which take the backend that the environment gives them.
TESTS = ["test_cuda.py", "test_mps.py", "test_classes.py"]


def run(*arguments, **variables):
    environment = {**os.environ, **variables}
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=300)


def passed(tests, **variables):
    """How many of a file's tests passed in a process of their own: none may fail, and none be left out where processes share
    events."""
    done = run("-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider", str(HERE / tests), **variables)
    assert done.returncode == 0 and ("skipped" not in done.stdout or sys.platform != "linux"), done.stdout
    return int(done.stdout.rpartition(" passed")[0].split()[-1])


@on_stand_in
@pytest.mark.parametrize("tests", TESTS)
def test_the_same_is_so_on_the_stand_in_driver(tests):
    on_cuda = passed(tests, SYNCPOINT_CUDA_LIBRARY=str(STAND_IN), SYNCPOINT_TEST_BACKEND="cuda")
    assert on_cuda == passed(tests, SYNCPOINT_TEST_BACKEND="host") > 0


@on_vulkan
@pytest.mark.parametrize("tests", TESTS)
def test_the_same_is_so_on_vulkan(tests):
    assert passed(tests, SYNCPOINT_TEST_BACKEND="vulkan") > 0


@pytest.mark.parametrize("tests", TESTS)
def test_the_same_is_so_on_the_simulator(tests):
    assert passed(tests, SYNCPOINT_TEST_BACKEND="sim") > 0


ABSENT = """
import syncpoint
from syncpoint import cuda, mps

def refused(text, call, *arguments):
    try:
        call(*arguments)
    except syncpoint.UnavailableError as absent:
        assert str(absent) == text, absent
        assert absent.__cause__ is not None
    else:
        raise AssertionError(call)

driver = ("Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and installed a driver from "
          "http://www.nvidia.com/Download/index.aspx")
refused("torch.cuda.Stream requires CUDA support", cuda.Stream)
refused("torch.cuda.Stream requires CUDA support", cuda.ExternalStream, 5)
refused("torch.cuda.Stream requires CUDA support", cuda.Stream, "cuda:1")
refused("torch.cuda.Stream requires CUDA support", cuda.ExternalStream, 0, "cuda:1")
refused("torch.cuda.Event requires CUDA support", cuda.Event)
for call in (cuda.current_stream, cuda.default_stream, cuda.synchronize, cuda.current_device,
             cuda.is_current_stream_capturing):
    refused(driver, call)
for call in (cuda.set_device, cuda.current_stream, cuda.default_stream, cuda.synchronize):
    refused(driver, call, 0)
    refused(driver, call, 1)
refused(driver, cuda.Stream.priority_range)
refused(driver, cuda.Event.from_ipc_handle, 0, bytes(64))
refused(driver, cuda.Event.from_ipc_handle, 1, bytes(64))
assert not cuda.is_available() and cuda.device_count() == 0
cuda.set_stream(None)
with cuda.device(None), cuda.device(-1):
    pass
try:
    with cuda.device(None):
        raise KeyError
except KeyError:
    pass
refused(driver, cuda.device(0).__enter__)
syncpoint.set_default_backend("host")
event = cuda.Event()
syncpoint.set_default_backend(None)
refused(driver, event.record)
refused(driver, event.wait)
def told_plainly(words, call, *arguments):
    try:
        call(*arguments)
    except syncpoint.UnavailableError as absent:
        assert all(word in str(absent) for word in words) and "torch" not in str(absent).lower(), absent
    else:
        raise AssertionError(call)

for call in (syncpoint.Event, syncpoint.Stream):
    for device in ("cuda", "cuda:0", "cuda:1"):
        told_plainly(["/nonexistent/libcuda.so.1", "; "], call, device)
try:
    syncpoint.open("cuda:0")
except syncpoint.UnavailableError as absent:
    assert "/nonexistent/libcuda.so.1" in str(absent)
if mps.device_count() == 0:
    refused("Cannot execute acquireEvent() without MPS backend.", mps.Event)
    refused("Cannot execute releaseEvent() without MPS backend.", mps._mps_releaseEvent, 1)
    refused("Cannot execute deviceSynchronize() without MPS backend.", mps.synchronize)
    refused("Cannot execute getDefaultStream() without MPS backend.", mps.default_stream)
    class Torchs:
        type, index = "mps", None
    for call in (syncpoint.Event, syncpoint.Stream):
        for device in ("mps", "mps:0", "metal", Torchs):
            told_plainly(["metal", "; "], call, device)
    for call in (syncpoint.default_stream, syncpoint.current_stream, syncpoint.synchronize, syncpoint.capabilities):
        try:
            call("mps")
        except syncpoint.UnavailableError as absent:
            assert "Apple" in str(absent)
        else:
            raise AssertionError(call)
"""


def test_what_is_not_there_is_told_in_torchs_words_and_nothing_else_is_said():
    done = run("-c", ABSENT, SYNCPOINT_CUDA_LIBRARY="/nonexistent/libcuda.so.1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


OF_NO_USE = """
import syncpoint
for call in (syncpoint.Event, syncpoint.Stream):
    try:
        call("cuda")
    except syncpoint.UnavailableError as refused:
        print(refused)
"""


@on_stand_in
@pytest.mark.parametrize(("script", "words"), [("devices=0", "CUDA_ERROR_NO_DEVICE"), ("fail cuInit * 804", "look whether the driver")])
def test_of_a_driver_that_is_there_and_of_no_use_its_words_are_told(script, words):
    told_twice = told(OF_NO_USE, SYNCPOINT_CUDA_LIBRARY=STAND_IN, SYNCPOINT_CUDA_FAKE=script).splitlines()
    assert len(told_twice) == 2 and all(words in line and "torch" not in line.lower() for line in told_twice)


CHOSEN = """
import syncpoint
from syncpoint import cuda
assert syncpoint.default_backend() == "sim" and cuda.device_count() > 1
assert cuda.Stream("cuda:1").device == syncpoint.open("sim:1")
event = cuda.Event()
cuda.set_stream(cuda.Stream("cuda:1"))
assert cuda.current_device() == 1
event.record()
try:
    event.record(cuda.Stream("cuda:0"))
except RuntimeError as refused:
    assert str(refused) == "Event device 1 does not match recording stream's device 0.", refused
else:
    raise AssertionError
with cuda.device(0):
    assert cuda.current_stream() == cuda.default_stream("cuda:0")
with cuda.stream(cuda.Stream("cuda:0")):
    assert cuda.current_device() == 0
assert cuda.current_device() == 1
"""


def test_the_environment_chooses_a_backend_with_several_devices():
    done = run("-c", CHOSEN, SYNCPOINT_DEFAULT_BACKEND="sim")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


SEVERAL = """
import contextvars, threading
import syncpoint
from syncpoint import cuda

with cuda.device(1):
    assert cuda.current_device() == 1
    with cuda.device(None), cuda.device(-1):
        assert cuda.current_device() == 1
    with cuda.device(None):
        cuda.set_device(0)
    # Of no device nothing is kept, and nothing brought back.
    assert cuda.current_device() == 0
assert cuda.current_device() == 0
try:
    cuda.device(99).__enter__()
except RuntimeError as refused:
    assert "out of index range" in str(refused), refused
assert cuda.current_device() == 0

shared, turns, seen = cuda.device(1), threading.Barrier(2), {}

def enters(name, before):
    cuda.set_device(before)
    for turn in range(2):
        if (turn == 0) == (name == "first"):
            shared.__enter__()
        turns.wait(20)
    for turn in range(2):
        if (turn == 0) == (name == "first"):
            shared.__exit__(None, None, None)
        turns.wait(20)
    seen[name] = cuda.current_device()

threads = [threading.Thread(target=enters, args=each) for each in (("first", 0), ("second", 1))]
for thread in threads: thread.start()
for thread in threads: thread.join(20)
assert seen == {"first": 0, "second": 1}, seen

# One object is entered by itself again.
with shared:
    cuda.set_device(0)
    with shared:
        assert cuda.current_device() == 1
    assert cuda.current_device() == 0
assert cuda.current_device() == 0
try:
    shared.__exit__(None, None, None)
except RuntimeError as refused:
    assert str(refused) == "Device context stack is empty.", refused
else:
    raise AssertionError

# The end of a stream's `with` brings back the stream of its device as well, and the device where it began.
mine = cuda.Stream("cuda:1")
cuda.set_stream(mine)
cuda.set_device(0)
with cuda.stream(cuda.Stream("cuda:1")):
    assert cuda.current_device() == 1 and cuda.current_stream() != mine
assert cuda.current_device() == 0 and cuda.current_stream("cuda:1") == mine
"""


def test_a_device_is_current_for_the_length_of_a_with_in_each_thread_by_itself():
    done = run("-c", SEVERAL, SYNCPOINT_DEFAULT_BACKEND="sim")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
