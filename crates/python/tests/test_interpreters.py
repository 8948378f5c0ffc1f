"""Other interpreters of a process are told that the package is the first one's."""

import importlib.util

import pytest
from programs import run

NAMES = ("_xxsubinterpreters", "_interpreters")

SECOND = """
import NAME as interpreters
import syncpoint

IMPORTS = '''
try:
    import syncpoint
except ImportError as refused:
    print(type(refused).__name__, refused, flush=True)
else:
    print("imported", flush=True)
'''
other = interpreters.create(*LEGACY)
interpreters.run_string(other, IMPORTS)
interpreters.destroy(other)
print(syncpoint.open("host:0").stream().enqueue(int, "7").result(timeout=20))
"""

REFUSED = "ImportError syncpoint is in use by another interpreter of this process, and by one alone; start a process instead\n"


def test_a_second_interpreter_of_the_process_is_refused():
    name = next((name for name in NAMES if importlib.util.find_spec(name)), None)
    if name is None:
        pytest.skip("this interpreter makes no others")
    # With the lock of the first: any other is refused by the interpreter itself.
    legacy = '("legacy",)' if name == "_interpreters" else "()"
    assert run(SECOND.replace("NAME", name).replace("LEGACY", legacy)) == (0, REFUSED + "7\n", "")
