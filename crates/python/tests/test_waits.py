"""Waits: bounded, interrupted by signals, and beside other threads of the interpreter."""

import functools
import sys
import threading

import pytest
from conftest import LONG

import syncpoint


def held(stream, name=None):
    gate = syncpoint.Gate(name)
    stream.wait(gate.point)
    return gate


def test_a_wait_that_runs_out_changes_nothing_and_says_who_waited_for_whom(stream):
    gate = held(stream, "late")
    with pytest.raises(syncpoint.TimedOutError) as late:
        stream.synchronize(timeout=0.06)
    assert isinstance(late.value, TimeoutError)
    assert 'gate' in late.value.report and '"late"' in late.value.report
    gate.open()
    stream.synchronize(timeout=LONG)


@pytest.mark.parametrize("timeout", [-1.0, float("nan")])
def test_a_timeout_that_is_no_time_is_refused(stream, timeout):
    with pytest.raises(ValueError, match="seconds from 0 on"):
        stream.synchronize(timeout=timeout)


WAITS = {
    "stream": lambda stream: stream.synchronize,
    "device": lambda stream: stream.device.synchronize,
    "event": lambda stream: stream.record_event().synchronize,
    "point": lambda stream: stream.record().synchronize,
    "all": lambda stream: functools.partial(syncpoint.wait_all, [stream.record(), stream.record_event()]),
    "any": lambda stream: functools.partial(syncpoint.wait_any, [stream.record(), stream.record_event()]),
}


@pytest.mark.parametrize("what", WAITS)
def test_other_threads_run_while_one_waits(stream, what):
    gate, begin, before = held(stream), threading.Event(), sys.getswitchinterval()
    opener = threading.Thread(target=lambda: begin.wait(LONG) and gate.open())
    opener.start()
    wait = WAITS[what](stream)
    # Nobody is asked for the lock of the interpreter: who waits gives it away, or keeps it until the wait has run out.
    sys.setswitchinterval(1000)
    try:
        begin.set()
        wait(timeout=LONG)
    finally:
        sys.setswitchinterval(before)
    opener.join(LONG)
    assert not opener.is_alive()


def test_a_gate_that_is_failed_fails_whoever_waits_with_its_message(stream):
    gate = held(stream)
    gate.fail("no disk")
    with pytest.raises(syncpoint.FailedError, match="no disk"):
        stream.synchronize(timeout=LONG)
