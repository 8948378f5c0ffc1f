"""Vulkan from Python: streams, events, memory and times of a device whose driver computes on the processor."""

import asyncio

import numpy
import pytest
from child import on_vulkan
from conftest import LONG

import syncpoint

pytestmark = on_vulkan


@pytest.fixture
def device():
    return syncpoint.open("vulkan:0")


def test_a_driver_that_is_named_has_a_device(device):
    assert "vulkan:0" in syncpoint.devices() and device.type == "vulkan" and device.index == 0
    assert repr(syncpoint.Stream("vulkan")).startswith("syncpoint.Stream device_type=vulkan, device_index=0, stream_id=")
    assert device.capabilities.timing and "vulkan:0" in device.capabilities.clock


def test_arrays_go_to_the_device_and_come_back_in_order(device, stream):
    gate, memory, pinned = syncpoint.Gate(), device.buffer(32), device.host_buffer(32)
    source, target = numpy.arange(8, dtype=numpy.int32), numpy.zeros(8, dtype=numpy.int32)
    stream.wait(gate.point)
    stream.copy(source, pinned)
    stream.copy(pinned, memory)
    stream.fill(memory[:4], 255)
    stream.copy(memory, target)
    end = stream.record()
    assert not end.query() and not target.any()
    gate.open()
    end.synchronize(timeout=LONG)
    assert target.tolist() == [-1, 1, 2, 3, 4, 5, 6, 7]


def test_a_chain_over_the_host_and_the_device_is_in_order(device, stream):
    host, gate, memory = syncpoint.Stream("host"), syncpoint.Gate(), device.buffer(16)
    seen = bytearray(16)
    stream.wait(gate.point)
    stream.fill(memory, 7)
    host.wait_stream(stream)
    told = host.enqueue(memory.to_bytes)
    stream.wait_stream(host)
    stream.fill(memory, 9)
    stream.copy(memory, seen)
    assert not told.done() and not stream.query()
    gate.open()
    assert told.result(timeout=LONG) == b"\x07" * 16
    stream.synchronize(timeout=LONG)
    assert seen == b"\x09" * 16


def test_times_are_those_of_the_devices_clock(device, stream):
    start, end = (device.event(enable_timing=True) for _ in range(2))
    start.record(stream)
    stream.fill(device.buffer(1 << 20), 1)
    end.record(stream)
    end.synchronize(timeout=LONG)
    span = end - start
    assert span.nanoseconds > 0 and span.clock == device.capabilities.clock
    assert start.elapsed_time(end) == span.milliseconds


def test_an_event_of_the_device_is_awaited(device, stream):
    gate = syncpoint.Gate()
    stream.wait(gate.point)
    stream.fill(device.buffer(16), 1)
    event = stream.record_event()

    async def main():
        asyncio.get_running_loop().call_soon(gate.open)
        await asyncio.wait_for(event, LONG)

    assert not event.query()
    asyncio.run(main())
    assert event.query()


def test_a_failure_reaches_what_is_behind_it_on_the_device(device, stream):
    other, gate = syncpoint.Stream("host"), syncpoint.Gate()
    other.wait(gate.point)
    other.enqueue(int, "three")
    stream.wait_stream(other)
    stream.fill(device.buffer(16), 1)
    gate.open()
    with pytest.raises(syncpoint.FailedError, match="three"):
        stream.synchronize(timeout=LONG)
    assert stream.recover() is not None and stream.query()
