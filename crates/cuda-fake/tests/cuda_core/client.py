"""NVIDIA's cuda.core, unmodified, on the library: each test by its name in a process of its own.

`client.py` names the tests, one a line; `client.py NAME` runs one and says `NAME passed`.
"""

import ctypes
import pickle
import subprocess
import sys
import threading

from cuda.bindings import driver
from cuda.core import Device, Event, EventOptions, LegacyPinnedMemoryResource, StreamOptions

TIMED = EventOptions(timing_enabled=True)


def device(ordinal=0):
    chosen = Device(ordinal)
    chosen.set_current()
    return chosen


class Held:
    """Host work that holds a stream until the block ends, and has ended with it: Python does not outlive its threads."""

    FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_void_p)

    def __init__(self, stream):
        self.stream = stream
        self.gate = threading.Event()
        # Kept here: the driver calls it later.
        self.function = self.FUNCTION(lambda _: self.gate.wait())
        function = driver.CUhostFn(_ptr=ctypes.addressof(self.function))
        (code,) = driver.cuLaunchHostFunc(stream.handle, function, 0)
        assert code == driver.CUresult.CUDA_SUCCESS, code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.gate.set()
        self.stream.sync()


def a_device_says_its_name():
    assert device().name == "syncpoint simulated CUDA device"


def every_device_is_found():
    assert len(Device.get_all_devices()) == 2
    assert device(1).device_id == 1


def a_stream_has_the_priority_and_the_flag_that_were_asked_for():
    stream = device().create_stream(options=StreamOptions(nonblocking=True, priority=-1))
    assert stream.is_nonblocking and stream.priority == -1


def an_event_is_done_when_the_work_before_it_is():
    stream = device().create_stream()
    with Held(stream):
        event = stream.record()
        assert not event.is_done
    event.sync()
    assert event.is_done


def a_stream_waits_for_an_event_of_another():
    first, second = device().create_stream(), device().create_stream()
    with Held(first):
        second.wait(first.record())
        behind = second.record()
        assert not behind.is_done
    behind.sync()


def a_stream_waits_for_another_stream():
    first, second = device().create_stream(), device().create_stream()
    with Held(first):
        second.wait(first)
        behind = second.record()
        assert not behind.is_done
    second.sync()
    assert behind.is_done


def a_stream_waits_for_an_event_of_another_device():
    first = device(0).create_stream()
    with Held(first):
        event = first.record()
        second = device(1).create_stream()
        second.wait(event)
        behind = second.record()
        assert not behind.is_done
    behind.sync()


def a_time_lies_between_two_events():
    stream = device().create_stream()
    start, end = stream.record(options=TIMED), stream.record(options=TIMED)
    end.sync()
    assert 0 <= end - start < 10_000


def a_time_of_an_event_that_has_not_come_is_refused_with_advice():
    stream = device().create_stream()
    start = stream.record(options=TIMED)
    with Held(stream):
        end = stream.record(options=TIMED)
        refused = error_of(lambda: end - start)
    assert "complete" in refused, refused


def a_time_of_events_without_times_is_refused_with_advice():
    stream = device().create_stream()
    start, end = stream.record(), stream.record()
    end.sync()
    assert "timing" in error_of(lambda: end - start)


def an_event_is_recorded_again():
    stream = device().create_stream()
    event = stream.record()
    event.sync()
    with Held(stream):
        stream.record(event)
        assert not event.is_done
    event.sync()


def what_is_closed_is_destroyed():
    stream = device().create_stream()
    event = stream.record()
    before = alive("streams"), alive("events")
    event.close()
    stream.close()
    assert (alive("streams"), alive("events")) == (before[0] - 1, before[1] - 1)


def an_event_is_awaited_in_another_process():
    stream = device().create_stream()
    importer = subprocess.Popen(
        [sys.executable, "-B", __file__, imports_an_event.__name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with Held(stream) as held, importer:
        event = stream.record(options=EventOptions(ipc_enabled=True))
        pickle.dump(event.ipc_descriptor, importer.stdin)
        importer.stdin.flush()
        assert importer.stdout.readline() == b"pending\n"
        held.gate.set()
        assert importer.stdout.readline() == b"done\n"
        assert importer.wait() == 0


def imports_an_event():
    """The other process: told of an event on its input, it says when the event is pending, and when it is done."""
    device()
    event = Event.from_ipc_descriptor(pickle.load(sys.stdin.buffer))
    print("done" if event.is_done else "pending", flush=True)
    event.sync()
    print("done" if event.is_done else "pending", flush=True)


def memory_is_allocated_and_freed_in_the_order_of_a_stream():
    stream = device().create_stream()
    before = alive("memory")
    buffer = device().allocate(4096, stream=stream)
    assert buffer.size == 4096 and alive("memory") == before + 1
    with Held(stream):
        buffer.close(stream)
        assert alive("memory") == before + 1
    assert alive("memory") == before


def memory_is_copied_in_the_order_of_a_stream():
    stream, pinned = device().create_stream(), LegacyPinnedMemoryResource()
    here, there, back = pinned.allocate(64), device().allocate(64, stream=stream), pinned.allocate(64)
    ctypes.memset(int(here.handle), 7, 64)
    there.copy_from(here, stream=stream)
    there.copy_to(back, stream=stream)
    stream.sync()
    assert ctypes.string_at(int(back.handle), 64) == b"\7" * 64


def pinned_memory_is_written_and_freed():
    device()
    before = alive("memory")
    buffer = LegacyPinnedMemoryResource().allocate(4096)
    assert buffer.size == 4096 and alive("memory") == before + 1
    ctypes.memset(int(buffer.handle), 7, 4096)
    buffer.close()
    assert alive("memory") == before


def error_of(call):
    try:
        call()
    except Exception as error:  # The class differs between versions; the words are what is asked for.
        return str(error)
    raise AssertionError("nothing was refused")


def alive(kind):
    """How many objects of a kind live in the library, which cuda.core has loaded."""
    library = ctypes.CDLL("libcuda.so.1")
    library.syncpointFakeAlive.restype = ctypes.c_uint64
    return library.syncpointFakeAlive(kind.encode())


TESTS = [
    a_device_says_its_name,
    every_device_is_found,
    a_stream_has_the_priority_and_the_flag_that_were_asked_for,
    an_event_is_done_when_the_work_before_it_is,
    a_stream_waits_for_an_event_of_another,
    a_stream_waits_for_another_stream,
    a_stream_waits_for_an_event_of_another_device,
    a_time_lies_between_two_events,
    a_time_of_an_event_that_has_not_come_is_refused_with_advice,
    a_time_of_events_without_times_is_refused_with_advice,
    an_event_is_recorded_again,
    an_event_is_awaited_in_another_process,
    what_is_closed_is_destroyed,
    memory_is_allocated_and_freed_in_the_order_of_a_stream,
    memory_is_copied_in_the_order_of_a_stream,
    pinned_memory_is_written_and_freed,
]


def main(names):
    if not names:
        print("\n".join(test.__name__ for test in TESTS))
    if names == [imports_an_event.__name__]:
        return imports_an_event()
    for name in names:
        (test,) = [test for test in TESTS if test.__name__ == name]
        test()
        print(name, "passed")


if __name__ == "__main__":
    main(sys.argv[1:])
