"""The examples: each runs, or says in one line what it lacks."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import LONG

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_an_example_runs_or_says_what_it_lacks(example):
    ended = subprocess.run([sys.executable, str(example)], capture_output=True, text=True, timeout=LONG, check=False)
    if ended.returncode == 0:
        assert ended.stdout and not ended.stderr
    else:
        assert (ended.stdout, ended.stderr.count("\n")) == ("", 1), ended
        assert ended.stderr.endswith("nothing to show\n")
