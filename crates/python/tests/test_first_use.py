"""What there is one of for each device is one, whichever threads ask for it first."""

import pytest
from programs import run

RACE = """
import threading
import syncpoint
from syncpoint import cuda, mps

syncpoint.set_default_backend("host")
both, made = threading.Barrier(2), syncpoint._native.MADE

def slowly(device):
    # Both threads have found nothing before either has made one.
    try:
        both.wait(20)
    except threading.BrokenBarrierError:
        pass
    return made(device)

syncpoint._native.MADE = slowly
answers, asked = [], lambda: answers.append(ASKED)
threads = [threading.Thread(target=asked) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(20)
CHECK
print("one")
"""

RACES = {
    "the table of numbers": ("EventPool", "mps._mps_acquireEvent(False)", "assert [mps._mps_queryEvent(each) for each in answers] == [False] * 2"),
    "the ring of mps": ("SharedStreams", "mps.Stream(stream_id=1)", "assert answers[0] == answers[1] == mps.Stream(stream_id=1)"),
    "the ring of cuda": ("SharedStreams", "cuda.Stream()", "assert [cuda.Stream(stream_id=each.stream_id) for each in answers] == answers"),
}


@pytest.mark.parametrize("race", RACES)
def test_two_threads_that_come_first_have_one(race):
    made, asked, check = RACES[race]
    program = RACE.replace("MADE", made).replace("ASKED", asked).replace("CHECK", check)
    assert run(program) == (0, "one\n", "")
