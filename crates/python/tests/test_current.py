"""The current stream: of each thread and each task."""

import asyncio
import contextvars
import threading

import syncpoint


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
