"""What is told is told in words of Python: no name of another language is in a message, a report or an origin."""

import re

import pytest
from conftest import LONG

import syncpoint


def dropped():
    stream, gate = syncpoint.Stream("host"), syncpoint.Gate()
    stream.wait(gate.point)
    del gate
    stream.synchronize(timeout=LONG)


def failed():
    stream, gate = syncpoint.Stream("host"), syncpoint.Gate()
    stream.wait(gate.point)
    gate.fail("no disk")
    stream.synchronize(timeout=LONG)


def late():
    stream, gate = syncpoint.Stream("host"), syncpoint.Gate("late")
    stream.wait(gate.point)
    try:
        stream.synchronize(timeout=0)
    finally:
        gate.open()


def untimed():
    event = syncpoint.Stream("host").record_event()
    event.synchronize(timeout=LONG)
    return event - event


REFUSED = {
    "no handle for others": lambda: syncpoint.Event("host").ipc_handle(),
    "no handle for others, of a device": lambda: syncpoint.open("host:0").event().ipc_handle(),
    "no handle of the driver's": lambda: syncpoint.Event("host").native_handle,
    "no handle of the driver's on its device": lambda: syncpoint.Event("host:0", native_handle=True),
    "a stream without a handle": lambda: syncpoint.Stream("host").native_handle,
    "external on the host": lambda: syncpoint.Event("host:0", external=True),
    "external on the host, late": lambda: syncpoint.Event("host", external=True).record(),
    "external and timed": lambda: syncpoint.Event(external=True, enable_timing=True),
    "external and between processes": lambda: syncpoint.Event(external=True, interprocess=True),
    "timed and between processes": lambda: syncpoint.Event(interprocess=True, enable_timing=True),
    "timed and between processes, of a device": lambda: syncpoint.open("host:0").event(interprocess=True, enable_timing=True),
    "no point": lambda: syncpoint.Event("host").point(),
    "no time": untimed,
    "bytes that are no handle": lambda: syncpoint.Event.from_ipc_handle("host", bytes(64)),
    "too few bytes": lambda: syncpoint.Event.from_ipc_handle("host", b"few"),
    "a gate that was dropped": dropped,
    "a gate that was failed": failed,
    "a wait that ran out": late,
    "a gate that is open": lambda: [(gate.open(), gate.open()) for gate in [syncpoint.Gate()]],
    "a device of another kind": lambda: syncpoint.Event("sim:0").record(syncpoint.Stream("host")),
    "a number that none has": lambda: syncpoint.Stream("sim:99"),
    "a buffer of another device": lambda: syncpoint.Stream("sim").fill(syncpoint.open("host:0").buffer(1), 0),
    "a copy of other length": lambda: syncpoint.Stream("host").copy(*(syncpoint.open("host:0").buffer(n) for n in (1, 2))),
    "too much memory": lambda: syncpoint.open("host:0").buffer(2**62),
    "a number of no event": lambda: syncpoint.EventPool("host").record(0),
    "none of several": lambda: syncpoint.wait_any([]),
    "a name of no device": lambda: syncpoint.open("toaster:0"),
    "an index that is none": lambda: syncpoint.open("host:first"),
    "work that failed": lambda: [(stream.enqueue(int, "x"), stream.synchronize(timeout=LONG)) for stream in [syncpoint.Stream("host")]],
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_told_in_words_of_python(case):
    with pytest.raises(Exception) as refused:
        REFUSED[case]()
    told = [str(refused.value), *(getattr(refused.value, name, None) or "" for name in ("origin", "report"))]
    for text in told:
        assert not re.search(r"::|\.rs\b|\bDevice::|builder\(\)|_with\b", text), text
