"""Pipelines: the program of the command line, and runs from Python."""

import io
import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from child import told
from conftest import LONG

import syncpoint

PIPELINE = """
[[stream]]
name = "left"
[[stream]]
name = "<right>"
[[step]]
name = "first"
stream = "left"
delay = "2 ms"
record = "done"
[[step]]
name = "second & last"
stream = "<right>"
delay = "1 ms"
wait = ["done"]
"""

EXAMPLES = Path(__file__).parents[3] / "examples"


def program(*arguments):
    command = [sys.executable, "-m", "syncpoint", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=LONG, check=False)


def test_the_program_says_which_devices_there_are():
    ended = program("devices")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "host:0" in ended.stdout


def test_the_program_runs_a_pipeline_and_tells_what_became_of_it():
    ended = program("run", str(EXAMPLES / "overlap.toml"))
    assert ended.returncode == 0, ended
    assert "critical path" in ended.stdout


def test_the_program_measures_calls():
    ended = program("bench", "--quick", "--filter", "record")
    assert (ended.returncode, ended.stderr) == (0, ""), ended
    assert "record" in ended.stdout and " ns" in ended.stdout, ended.stdout


def test_the_devices_are_those_that_the_program_tells():
    names, told = syncpoint.devices(), program("devices").stdout
    assert "host:0" in names and "sim:0" in names and len(set(names)) == len(names)
    assert [syncpoint.open(name).name for name in names] == names
    assert re.findall(r"^  (\w+:\d+) ", told, re.MULTILINE) == names


def test_the_program_has_the_status_of_what_it_was_asked():
    assert program("run", "/no/such/file.toml").returncode == 2


def test_a_run_has_its_report_as_data_as_text_and_as_a_picture():
    run = syncpoint.run(io.StringIO(PIPELINE), timeout=LONG)
    first, second = run.data["steps"]
    assert run.verdict == "complete" and first["end_ns"] <= second["start_ns"]
    assert "critical path" in repr(run)
    drawn = ElementTree.fromstring(run._repr_html_())
    assert [title.text.split(":")[0] for title in drawn.iter("title")] == ["first", "second & last"]
    assert len(list(drawn.iter("rect"))) == 2


CUT_SHORT = """
import io, sys, syncpoint
print(syncpoint.run(io.StringIO(sys.argv[1]), timeout=0.02).verdict)
"""


def test_a_run_that_its_time_cuts_short_says_so():
    assert told(CUT_SHORT, PIPELINE.replace("2 ms", "1 min")) == "timed_out\n"


def test_a_bad_pipeline_is_refused_with_every_fault_before_anything_runs():
    with pytest.raises(ValueError) as refused:
        syncpoint.run(io.StringIO(PIPELINE.replace("2 ms", "soon").replace('["done"]', '["never"]')))
    assert "soon" in str(refused.value) and "never" in str(refused.value)


STOPPED = """
import io, sys, syncpoint
try:
    syncpoint.run(io.StringIO(sys.argv[1]))
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""

RESTS = """
[[stream]]
name = "a"
[[step]]
name = "rest"
stream = "a"
command = ["sh", "-c", "exec >'PIPE'; echo runs; exec sleep 60"]
"""


def heard(pipe):
    """What comes next through a pipe; nothing once nobody has its other end."""
    assert select.select([pipe], [], [], LONG)[0], "neither a word nor an end"
    return os.read(pipe, 100)


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as on Unix")
def test_ctrl_c_ends_a_run_and_its_commands(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    pipe = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    arguments = [sys.executable, "-c", STOPPED, RESTS.replace("PIPE", str(tmp_path / "pipe"))]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert heard(pipe) == b"runs\n"
        child.send_signal(signal.SIGINT)
        said, complained = child.communicate(timeout=LONG)
    assert (child.returncode, said, complained) == (0, "interrupted\n", "")
    assert heard(pipe) == b""
    os.close(pipe)
