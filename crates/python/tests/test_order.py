"""Every call that waits orders what comes after it behind what it waits for: proved behind a gate, across backends too."""

import pytest
from child import on_vulkan
from conftest import LONG

import syncpoint
from syncpoint import cuda

BACKENDS = ["host:0", "sim:0", pytest.param("vulkan:0", marks=on_vulkan)]


def by_pool(_event, first, second):
    pool = syncpoint.EventPool(first.device)
    number = pool.acquire()
    pool.record(number, first)
    pool.wait(number, second)
    pool.release(number)


WAYS = {
    "Event.wait": lambda event, first, second: event.wait(second),
    "Stream.wait_event": lambda event, first, second: second.wait_event(event),
    "Stream.wait_stream": lambda event, first, second: second.wait_stream(first),
    "Stream.wait": lambda event, first, second: second.wait(event.point()),
    "EventPool.wait": by_pool,
}


@pytest.mark.parametrize("one", BACKENDS)
@pytest.mark.parametrize("other", BACKENDS)
@pytest.mark.parametrize("way", WAYS)
def test_what_waits_is_behind_what_it_waits_for(way, one, other):
    first, second, gate, event = syncpoint.Stream(one), syncpoint.Stream(other), syncpoint.Gate(), syncpoint.Event()
    first.wait(gate.point)
    event.record(first)
    WAYS[way](event, first, second)
    end = second.record()
    assert not event.query() and not second.query() and not end.query()
    gate.open()
    end.synchronize(timeout=LONG)
    assert event.query()


def test_an_event_of_the_cuda_module_orders_streams_of_other_devices():
    syncpoint.set_default_backend("host")
    try:
        first, second, gate, event = cuda.Stream(), syncpoint.Stream("sim:0"), syncpoint.Gate(), cuda.Event()
        first.wait(gate.point)
        event.record(first)
        event.wait(second)
        assert not second.query()
        gate.open()
        second.synchronize(timeout=LONG)
        assert event.query()
    finally:
        syncpoint.set_default_backend(None)
