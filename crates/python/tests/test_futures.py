"""Points and events as futures: called back, awaited and waited for together, and let go of without a trace."""

import asyncio
import concurrent.futures
import gc
import sys
import threading
import weakref

import pytest
from conftest import LONG

import syncpoint


def held(device, count=1):
    """A gate, and points that come when it is opened."""
    gate, points = syncpoint.Gate(), []
    for _ in range(count):
        stream = device.stream()
        stream.wait(gate.point)
        points.append(stream.record())
    return gate, points


def recorded(stream):
    """An event that was recorded there."""
    event = syncpoint.Event()
    event.record(stream)
    return event


def told(source):
    """What a callback of it is told, and on which thread."""
    called, seen = threading.Event(), []

    def callback(failure):
        seen.append((failure, threading.get_ident()))
        called.set()

    source.add_done_callback(callback)
    assert called.wait(LONG)
    return seen


def test_a_callback_is_called_once_on_a_thread_of_ours_with_nothing_or_with_the_failure(device, stream):
    complete = stream.record()
    complete.synchronize(timeout=LONG)
    gate, (pending,) = held(device)
    failed = syncpoint.Gate()
    failed.fail("no disk")
    gate.open()
    for source in (complete, pending, recorded(stream), syncpoint.Event()):
        ((failure, thread),) = told(source)
        assert failure is None and thread != threading.get_ident()
    ((failure, _),) = told(failed.point)
    assert isinstance(failure, syncpoint.FailedError) and "no disk" in str(failure)


def test_what_a_callback_raises_goes_to_the_hook_and_hurts_nobody(stream, monkeypatch):
    heard = []
    monkeypatch.setattr(sys, "unraisablehook", lambda told: heard.append((told.exc_type, told.object)))

    def fails(_failure):
        raise KeyError("mine")

    stream.record().add_done_callback(fails)
    told(stream.record())
    assert heard == [(KeyError, fails)]


def test_a_callback_that_is_taken_back_is_let_go_of_uncalled(device):
    gate, (point,) = held(device)
    callback = lambda _failure: pytest.fail("it was taken back")
    gone = weakref.ref(callback)
    notification = point.add_done_callback(callback)
    del callback
    assert gone() is not None
    assert notification.cancel() and not notification.cancel()
    assert gone() is None
    gate.open()


def test_a_callback_may_call_everything_here(device):
    gate, (point,) = held(device)
    outcome = concurrent.futures.Future()

    def callback(_failure):
        other = device.stream()
        other.delay(0.001)
        other.synchronize(timeout=LONG)
        outcome.set_result(other.query())

    point.add_done_callback(callback)
    gate.open()
    assert outcome.result(LONG)


def test_a_future_has_the_outcome_and_can_be_cancelled_without_a_trace(device):
    gate, (point, other) = held(device, 2)
    future, cancelled = point.future(), other.future()
    assert not future.done() and cancelled.cancel()
    gate.open()
    assert future.result(LONG) is None
    other.synchronize(timeout=LONG)
    assert concurrent.futures.wait([cancelled], LONG).done == {cancelled}
    failed = syncpoint.Gate()
    failed.fail("no disk")
    assert isinstance(failed.point.future().exception(LONG), syncpoint.FailedError)


def test_points_and_events_are_awaited(device, stream):
    async def main():
        gate, (point,) = held(device)
        event = recorded(stream)
        pending = asyncio.ensure_future(asyncio.wait_for(point, LONG))
        await asyncio.sleep(0)
        assert not pending.done()
        gate.open()
        return [await pending, await event, await syncpoint.Event()]

    assert asyncio.run(main()) == [None] * 3


def test_an_awaited_failure_is_raised(stream):
    async def main():
        gate = syncpoint.Gate()
        stream.wait(gate.point)
        gate.fail("no disk")
        with pytest.raises(syncpoint.FailedError, match="no disk"):
            await stream.record()

    asyncio.run(main())


def test_an_event_is_awaited_as_it_was_recorded_last_at_that_time(device, stream):
    async def main():
        event = recorded(stream)
        awaited = event.__await__()
        gate, _ = held(device)
        stream.wait(gate.point)
        event.record(stream)
        await asyncio.wait_for(as_coroutine(awaited), LONG)
        assert not event.query()
        gate.open()

    async def as_coroutine(awaited):
        class Awaitable:
            def __await__(self):
                return awaited

        await Awaitable()

    asyncio.run(main())


def test_ten_thousand_await_at_once(device):
    async def main():
        gate, points = held(device, 100)
        tasks = [asyncio.ensure_future(wait(points[i % 100])) for i in range(10_000)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in tasks)
        gate.open()
        return await asyncio.wait_for(asyncio.gather(*tasks), 5 * LONG)

    async def wait(point):
        await point
        return point.query()

    assert asyncio.run(main()) == [True] * 10_000


def test_a_task_that_is_cancelled_leaves_the_work_as_it_is_and_nothing_behind(device):
    class Mine:
        pass

    async def wait(point, mine):
        await point

    async def main():
        gate, (point,) = held(device)
        mine = Mine()
        gone, task = weakref.ref(mine), asyncio.ensure_future(wait(point, mine))
        del mine
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task], timeout=LONG)
        assert task.cancelled()
        del task
        gc.collect()
        assert gone() is None and not point.query()
        gate.open()
        await point

    asyncio.run(main())


def test_a_loop_that_is_closed_is_no_trouble_of_ours(device, monkeypatch):
    heard = []
    monkeypatch.setattr(sys, "unraisablehook", heard.append)
    gate, (point,) = held(device)
    loop = asyncio.new_event_loop()

    async def begin():
        awaited = point.__await__()
        next(awaited)
        return awaited

    awaited = loop.run_until_complete(begin())
    loop.close()
    gate.open()
    told(point)
    assert heard == []
    awaited.close()


def test_to_await_outside_a_loop_is_refused_in_the_words_of_asyncio(stream):
    with pytest.raises(RuntimeError, match="no running event loop"):
        stream.record().__await__()


def test_the_first_of_several_is_told_by_its_place(device, stream):
    gate, (pending,) = held(device)
    assert syncpoint.wait_any([pending, stream.record()], timeout=LONG) == 1
    assert syncpoint.wait_any([pending, syncpoint.Event()]) == 1
    assert syncpoint.wait_any([pending, recorded(stream)], LONG) == 1
    failed = syncpoint.Gate()
    failed.fail("no disk")
    with pytest.raises(syncpoint.FailedError) as refused:
        syncpoint.wait_any([pending, failed.point], timeout=LONG)
    assert refused.value.index == 1
    with pytest.raises(syncpoint.MisuseError):
        syncpoint.wait_any([])
    gate.open()


def test_all_of_several_are_waited_for(device, stream):
    gate, points = held(device, 3)
    with pytest.raises(syncpoint.TimedOutError) as late:
        syncpoint.wait_all([stream.record(), *points], timeout=0.06)
    assert "gate" in late.value.report
    with pytest.raises(syncpoint.TimedOutError):
        syncpoint.wait_any(points, timeout=0)
    gate.open()
    syncpoint.wait_all([*points, recorded(stream), syncpoint.Event()], timeout=LONG)
    syncpoint.wait_all([])
    assert all(point.query() for point in points)


@pytest.mark.parametrize("wait", [syncpoint.wait_all, syncpoint.wait_any])
def test_what_cannot_be_waited_for_is_refused(wait):
    with pytest.raises(TypeError):
        wait([3])
