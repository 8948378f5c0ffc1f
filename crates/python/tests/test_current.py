"""The current stream: of each thread and each task."""

import asyncio
import contextvars
import threading

import pytest
from conftest import LONG

import syncpoint
from syncpoint import cuda


def test_streams_are_nested_and_restored_in_turn(device):
    before, outer, inner = syncpoint.current_stream(device), device.stream(), device.stream()
    with syncpoint.stream(outer), syncpoint.stream(inner):
        assert syncpoint.current_stream(device) == inner
        with syncpoint.stream(None):
            assert syncpoint.current_stream(device) == inner
    assert syncpoint.current_stream(device) == before


def test_an_event_is_recorded_on_the_current_stream_of_its_device(device):
    stream, gate, event = device.stream(), syncpoint.Gate(), device.event()
    stream.wait(gate.point)
    with syncpoint.stream(stream):
        event.record()
    assert not event.query()
    gate.open()


def on_a_thread(function):
    seen = []
    thread = threading.Thread(target=lambda: seen.append(function()))
    thread.start()
    thread.join()
    return seen[0]


def test_a_new_thread_begins_on_the_default_stream_also_with_the_context_of_its_parent(device):
    current = lambda: syncpoint.current_stream(device)
    with syncpoint.stream(device.stream()):
        context = contextvars.copy_context()
        assert on_a_thread(current) == syncpoint.default_stream(device)
        assert on_a_thread(lambda: context.run(current)) == syncpoint.default_stream(device)


def test_tasks_do_not_see_each_others_streams(device):
    async def task(stream, mine, others):
        with syncpoint.stream(stream):
            mine.set()
            await others.wait()
            return syncpoint.current_stream(device) == stream

    async def both():
        events = asyncio.Event(), asyncio.Event()
        tasks = [task(device.stream(), *order) for order in (events, events[::-1])]
        return await asyncio.gather(*tasks)

    assert asyncio.run(both()) == [True, True]


def test_devices_that_are_asked_in_turns_keep_their_own_default_streams():
    for name in ("sim:0", "sim:1", "sim:0", "sim:1"):
        event = syncpoint.Event(name)
        event.record()
        assert (event.device.name, syncpoint.current_stream(name).device.name) == (name, name)
        assert syncpoint.current_stream(name) == syncpoint.default_stream(name)


@pytest.fixture
def of_cuda():
    """A stream of what stands in for CUDA, held back, and the gate that holds it."""
    syncpoint.set_default_backend("host")
    stream, gate = cuda.Stream(), syncpoint.Gate()
    stream.wait(gate.point)
    yield stream
    gate.open()
    stream.synchronize(timeout=LONG)
    syncpoint.set_default_backend(None)


def is_held():
    """Whether a record that names no stream is on one that is held back."""
    event = cuda.Event()
    event.record()
    return not event.query()


def test_an_event_of_cuda_is_recorded_on_the_current_stream_of_its_task(of_cuda):
    async def task(stream, mine, others):
        with cuda.stream(stream):
            mine.set()
            await others.wait()
            return is_held()

    async def both():
        events, free = (asyncio.Event(), asyncio.Event()), cuda.Stream()
        return await asyncio.gather(task(of_cuda, *events), task(free, *events[::-1]))

    assert asyncio.run(both()) == [True, False]


def test_an_event_of_cuda_is_recorded_on_the_default_stream_of_a_new_thread(of_cuda):
    with cuda.stream(of_cuda):
        context = contextvars.copy_context()
        assert is_held() and not on_a_thread(is_held)
        assert not on_a_thread(lambda: context.run(is_held))


def test_a_task_has_its_stream_on_whatever_thread_it_asks_from(of_cuda):
    async def main():
        with cuda.stream(of_cuda):
            return await asyncio.to_thread(is_held), is_held()

    # A function on another thread is given the context, and begins on the default stream all the same.
    assert asyncio.run(main()) == (False, True)


def test_an_event_for_a_kind_of_device_is_recorded_on_the_current_stream_of_that_kind():
    second = syncpoint.Stream("sim:1")
    for made in (lambda: syncpoint.Event("sim"), lambda: syncpoint.Event("sim:1")):
        with second:
            event = made()
            event.record()
            assert event.device == second.device
    event = syncpoint.Event("sim")
    event.record()
    assert event.device == syncpoint.open("sim:0")


def test_the_end_of_a_with_brings_back_the_stream_of_its_device_and_the_device_where_it_began():
    mine, other = syncpoint.Stream("sim:1"), syncpoint.Stream("sim:1")
    syncpoint.set_stream(mine)
    with syncpoint.Stream("sim:0"):
        with other:
            assert syncpoint.current_stream("sim:1") == syncpoint.current_stream("sim") == other
        assert syncpoint.current_stream("sim:1") == mine and syncpoint.current_stream("sim").device.index == 0
    assert syncpoint.current_stream("sim") == mine
    syncpoint.set_stream(syncpoint.default_stream("sim:1"))
    syncpoint.set_stream(syncpoint.default_stream("sim:0"))


def test_what_makes_streams_and_events_leaves_the_current_ones_as_they_were():
    syncpoint.set_default_backend("sim")
    try:
        before = cuda.current_stream(), cuda.current_device()
        made = cuda.Stream(1), cuda.Stream("cuda:1"), syncpoint.Stream("sim:1"), syncpoint.Event("sim:1"), cuda.Event()
        made[4].record(made[0])
        cuda.synchronize(1)
        assert (cuda.current_stream(), cuda.current_device()) == before
    finally:
        syncpoint.set_default_backend(None)
