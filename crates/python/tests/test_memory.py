"""Memory: buffers of devices and arrays of the host, filled and copied in the order of streams."""

import gc
import weakref

import numpy
import pytest
from child import on_stand_in, told_on_stand_in
from conftest import LONG

import syncpoint


class Bytes(bytearray):
    """What can be referred to weakly."""


def test_parts_are_the_same_memory(device, stream):
    buffer = device.buffer(8)
    stream.fill(buffer, 1)
    stream.copy(buffer[:2], buffer[6:])
    stream.fill(buffer[2:6][1:3], 9)
    stream.synchronize(timeout=LONG)
    assert buffer.to_bytes() == bytes([1, 1, 1, 9, 9, 1, 1, 1])
    assert buffer[2:6][1:3] == buffer[3:5] != buffer[3:6]


def test_arrays_of_numpy_are_filled_and_copied_in_the_order_of_the_stream(device, stream):
    gate, buffer = syncpoint.Gate(), device.buffer(32)
    source, target = numpy.arange(4, dtype=numpy.int64), numpy.zeros((2, 2), dtype=numpy.int64)
    stream.wait(gate.point)
    stream.copy(source, buffer)
    stream.copy(buffer, target)
    stream.fill(source, 255)
    assert not target.any() and source[3] == 3
    gate.open()
    stream.synchronize(timeout=LONG)
    assert target.tolist() == [[0, 1], [2, 3]] and source.tolist() == [-1] * 4


@pytest.mark.parametrize("source", [b"\x01\x02", bytearray(b"\x01\x02"), memoryview(b"\x01\x02")], ids=type)
def test_whatever_gives_its_memory_is_copied(stream, source):
    target = numpy.zeros(2, dtype=numpy.uint8)
    stream.copy(source, target)
    stream.synchronize(timeout=LONG)
    assert target.tolist() == [1, 2]


def test_memory_in_use_cannot_be_made_longer_and_lives_until_it_is_done(stream):
    gate, memory = syncpoint.Gate(), Bytes(4)
    stream.wait(gate.point)
    stream.fill(memory, 7)
    with pytest.raises(BufferError):
        memory.extend(b"more")
    gone = weakref.ref(memory)
    memory = None
    gc.collect()
    assert gone() is not None
    kept = gone()
    gate.open()
    stream.synchronize(timeout=LONG)
    assert kept == b"\x07" * 4


def test_an_empty_array_is_no_work_and_no_error(device, stream):
    empty = numpy.zeros((0, 3))
    stream.fill(empty, 1)
    stream.copy(empty, device.buffer(0))
    stream.copy(empty, bytearray())
    stream.synchronize(timeout=LONG)


def test_memory_that_will_not_do_is_refused_with_the_remedy(device, stream):
    refusals = [
        (lambda: stream.fill(b"fixed", 1), "cannot be written"),
        (lambda: stream.fill(numpy.zeros((4, 4))[:, 0], 1), "ascontiguousarray"),
        (lambda: stream.copy(bytearray(3), device.buffer(4)), "3 bytes are not copied to 4"),
        (lambda: device.buffer(4).write(b"12345"), "5 bytes do not fit into 4"),
        (lambda: device.buffer(4)[::2], "step of 1"),
    ]
    for refused, words in refusals:
        with pytest.raises(ValueError, match=words):
            refused()
    with pytest.raises(TypeError, match="from 0 to 255"):
        stream.fill(bytearray(1), 256)
    with pytest.raises(TypeError):
        stream.fill(3, 1)
    stream.synchronize(timeout=LONG)


ON_A_DEVICE = """
import numpy, syncpoint
device = syncpoint.open("cuda:0")
stream, memory, pinned = device.stream(), device.buffer(16), device.host_buffer(16)
source, target = numpy.arange(4, dtype=numpy.int32), numpy.zeros(4, dtype=numpy.int32)
stream.copy(source, pinned)
stream.copy(pinned, memory)
stream.copy(memory, target)
stream.synchronize(timeout=20)
print(target.tolist())
"""


ON_OTHERS = """
import syncpoint
default, memory = syncpoint.default_stream("cuda"), syncpoint.open("cuda:0").buffer(4)
for work in (lambda: default.fill(bytearray(4), 1), lambda: default.copy(bytearray(4), memory),
             lambda: default.copy(memory, bytearray(4)), lambda: default.enqueue(int)):
    try:
        work()
    except NotImplementedError as refused:
        assert "others launch on too cannot be held" in str(refused), refused
    else:
        raise AssertionError
default.fill(memory, 7)
default.synchronize(timeout=20)
print(memory.to_bytes())
"""


@on_stand_in
def test_a_stream_of_others_refuses_what_touches_arrays_and_does_the_rest():
    assert told_on_stand_in(ON_OTHERS) == "b'\\x07\\x07\\x07\\x07'\n"


@on_stand_in
def test_arrays_go_to_a_device_and_come_back():
    assert told_on_stand_in(ON_A_DEVICE) == "[0, 1, 2, 3]\n"
