"""Work of Python's in the order of a stream: its results, its failures, and on whose thread it runs."""

import gc
import threading
import weakref
from concurrent.futures import CancelledError

import pytest
from conftest import LONG

import syncpoint


def held(stream):
    gate = syncpoint.Gate()
    stream.wait(gate.point)
    return gate


def test_work_runs_in_order_and_its_future_has_the_result(stream):
    gate, order = held(stream), []
    futures = [stream.enqueue(lambda i, *, add: order.append(i) or i + add, i, add=10) for i in range(100)]
    assert not any(future.done() for future in futures)
    gate.open()
    assert [future.result(LONG) for future in futures] == [i + 10 for i in range(100)]
    assert order == list(range(100))


def test_what_work_raises_is_its_futures_and_the_stream_fails_with_it_until_it_is_recovered(stream):
    def fails():
        raise KeyError("no such row")

    gate = held(stream)
    first, second = stream.enqueue(fails), stream.enqueue(pytest.fail)
    gate.open()
    assert isinstance(first.exception(LONG), KeyError)
    with pytest.raises(syncpoint.FailedError, match="KeyError: 'no such row'"):
        stream.synchronize(timeout=LONG)
    assert isinstance(second.exception(LONG), syncpoint.FailedError)
    with pytest.raises(syncpoint.FailedError):
        stream.enqueue(print)
    assert isinstance(stream.recover(), syncpoint.FailedError)
    assert stream.recover() is None
    assert stream.enqueue(int, "7").result(LONG) == 7


def test_work_that_is_cancelled_before_it_begins_never_does_and_what_follows_runs(stream):
    gate = held(stream)
    never, then = stream.enqueue(pytest.fail), stream.enqueue(int, 7)
    assert never.cancel()
    gate.open()
    assert then.result(LONG) == 7
    with pytest.raises(CancelledError):
        never.result()
    stream.synchronize(timeout=LONG)


def test_work_that_has_begun_cannot_be_cancelled(stream):
    begun, go_on = threading.Event(), threading.Event()
    future = stream.enqueue(lambda: begun.set() or go_on.wait(LONG))
    assert begun.wait(LONG)
    assert future.running() and not future.cancel()
    go_on.set()
    assert future.result(LONG)


def test_no_work_of_others_runs_on_a_thread_that_waits(device):
    mine, ran = threading.get_ident(), set()
    for _ in range(200):
        stream, event = device.stream(), syncpoint.Event()
        for wait in (stream.synchronize, event.synchronize, device.synchronize):
            stream.enqueue(lambda: ran.add(threading.get_ident()))
            event.record(stream)
            wait()
        stream.enqueue(lambda: ran.add(threading.get_ident()))
        syncpoint.wait_all([stream.record()])
    assert ran and mine not in ran


def test_work_that_waits_for_what_comes_after_it_is_refused(stream):
    gate, points = held(stream), []
    future = stream.enqueue(lambda: points[0].synchronize())
    points.append(stream.record())
    gate.open()
    refused = future.exception(LONG)
    assert isinstance(refused, syncpoint.MisuseError) and refused.reason == "would deadlock"


def test_work_may_wait_for_other_streams_and_take_the_lock_that_a_waiter_let_go_of(device):
    first, second = device.stream(), device.stream()
    inner = second.enqueue(sum, range(1000))
    outer = first.enqueue(lambda: (second.synchronize(), inner.result(LONG))[1])
    first.synchronize(timeout=LONG)
    assert outer.result() == 499500


def test_what_work_holds_is_let_go_of_whether_it_ran_or_not(stream):
    class Mine:
        pass

    gate, gone = held(stream), []
    ran, failing, unrun = Mine(), Mine(), Mine()
    gone = [weakref.ref(mine) for mine in (ran, failing, unrun)]
    stream.enqueue(id, ran)
    stream.enqueue(int, failing)
    last = stream.enqueue(id, unrun)
    del ran, failing, unrun
    gate.open()
    assert isinstance(last.exception(LONG), syncpoint.FailedError)
    # A worker lets go of what it ran after it has told.
    after = stream.device.stream()
    assert stream.recover() is not None
    after.wait(stream.record())
    after.enqueue(int).result(LONG)
    gc.collect()
    assert [mine() for mine in gone] == [None] * 3


def test_a_stream_that_is_dropped_finishes_its_work(device):
    stream = device.stream()
    gate = held(stream)
    future = stream.enqueue(int, "7")
    del stream
    gc.collect()
    gate.open()
    assert future.result(LONG) == 7
