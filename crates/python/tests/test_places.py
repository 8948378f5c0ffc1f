"""Places: reports and failures name lines of the program, and not of the package."""

import re
import sys

import pytest
from conftest import LONG

import syncpoint


def line():
    """The line that calls this."""
    return sys._getframe(1).f_lineno


def test_the_report_of_a_wait_tells_the_whole_wait_and_where_in_the_program_everything_was_asked(stream):
    gate, made = syncpoint.Gate("late"), line()
    waited = line() + 1
    stream.wait(gate.point)
    point, recorded = stream.record(), line()
    with pytest.raises(syncpoint.TimedOutError) as late:
        asked = line() + 1
        point.synchronize(timeout=0.12)
    text = str(late.value)
    amount, unit = re.search(r"ran out after ([0-9.]+)(ms|s)\b", text).groups()
    assert float(amount) * {"ms": 1, "s": 1000}[unit] >= 120
    for place in (
        f"the wait at {__file__}:{asked} ran out",
        f"(recorded at {__file__}:{recorded})",
        f"(asked at {__file__}:{waited})",
        f"the gate was made at {__file__}:{made}",
    ):
        assert place in text
    assert ".rs:" not in text
    gate.open()
    point.synchronize(timeout=LONG)


def test_a_failure_tells_the_line_where_its_work_was_enqueued(stream):
    enqueued = line() + 1
    stream.enqueue(int, "three")
    with pytest.raises(syncpoint.FailedError) as failed:
        stream.synchronize(timeout=LONG)
    assert failed.value.origin.endswith(f"at {__file__}:{enqueued}")


def test_what_the_package_asks_for_itself_is_asked_where_the_program_called_it(stream):
    event, gate = syncpoint.Event(), syncpoint.Gate()
    stream.wait(gate.point)
    with syncpoint.stream(stream):
        recorded = line() + 1
        event.record()
    with pytest.raises(syncpoint.TimedOutError, match=f"recorded at {re.escape(__file__)}:{recorded}"):
        event.synchronize(timeout=0)
    gate.open()


def test_a_call_is_told_by_its_own_place_however_often_it_is_made_and_whatever_was_where_it_is(stream):
    gate = syncpoint.Gate()
    stream.wait(gate.point)
    for number in range(200):
        code = compile("\n" * (number % 5) + "point = stream.record()", f"made{number}.py", "exec")
        for _again in range(2):
            names = {"stream": stream}
            exec(code, names)
            with pytest.raises(syncpoint.TimedOutError, match=rf"recorded at made{number}\.py:{number % 5 + 1}\b"):
                names["point"].synchronize(timeout=0)
    gate.open()
