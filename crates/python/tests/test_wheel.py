"""The wheel: for every CPython from 3.10 on, with its types and stubs, and carried out by other versions than this one."""

import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from conftest import LONG

import syncpoint
from syncpoint import _native

PACKAGE = Path(syncpoint.__file__).parent


def test_it_is_for_every_cpython_from_3_10_on():
    installed = metadata.distribution("syncpoint")
    tags = [line for line in installed.read_text("WHEEL").splitlines() if line.startswith("Tag: ")]
    assert tags and all(tag.startswith("Tag: cp310-abi3-") for tag in tags), tags
    assert installed.metadata["Requires-Python"] == ">=3.10"
    assert ".abi3." in Path(_native.__file__).name or sys.platform == "win32"


@pytest.mark.parametrize("name", ["py.typed", "_native.pyi", "__main__.py", "cuda/streams.py", "mps/event.py", "classes/cuda.py"])
def test_it_has_its_types_and_modules(name):
    assert (PACKAGE / name).is_file()
    told = [str(path) for path in metadata.files("syncpoint")]
    # An installation that is edited where it lies tells where that is and nothing else.
    assert f"syncpoint/{name}" in told or "syncpoint.pth" in told, told


def found():
    """Other versions of Python on this machine, as the path and pyenv have them, each once."""
    paths = [shutil.which(f"python3.{minor}") for minor in range(10, 20)]
    paths += sorted(Path.home().glob(".pyenv/versions/3.*/bin/python3"))
    versions = {}
    for path in filter(None, paths):
        asked = [str(path), "-c", "import sys; print(sys.implementation.name, *sys.version_info[:2])"]
        # A name of pyenv's may have nothing behind it.
        told = subprocess.run(asked, capture_output=True, text=True, timeout=LONG, check=False).stdout.split()
        if told[:1] == ["cpython"] and (3, 10) <= tuple(map(int, told[1:])) != sys.version_info[:2]:
            versions[tuple(told[1:])] = str(path)
    return [versions[version] for version in sorted(versions)]


USED = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
import syncpoint
from syncpoint import classes, cuda, mps

syncpoint.set_default_backend("host")
stream, gate, event = cuda.Stream(), syncpoint.Gate(), cuda.Event(enable_timing=True)
stream.wait(gate.point)
event.record(stream)
work, memory = stream.enqueue(sum, [1, 2, 3]), bytearray(4)
stream.fill(memory, 7)

async def main():
    asyncio.get_running_loop().call_soon(gate.open)
    await event
    await asyncio.wrap_future(work)

assert not event.query()
asyncio.run(main())
stream.synchronize(timeout=20)
assert (work.result(), memory, event.elapsed_time(event)) == (6, b"\\x07" * 4, 0.0)
for made in (mps.Event(), classes.cuda.Event(), syncpoint.Event("sim"), syncpoint.EventPool().event()):
    made.query()
print("ok")
"""


def test_other_versions_of_python_use_it():
    others = found()
    if not others:
        pytest.skip("there is no other Python from 3.10 on here; pyenv has them")
    for other in others:
        ended = subprocess.run(
            [other, "-c", USED, str(PACKAGE.parent)], capture_output=True, text=True, timeout=LONG, check=False
        )
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "ok\n", ""), (other, ended)
