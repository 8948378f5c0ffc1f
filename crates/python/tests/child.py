"""Programs in processes of their own."""

import os
import subprocess
import sys

import pytest
from conftest import LONG

#: Where the stand-in driver of CUDA lies; the routine says so.
STAND_IN = os.environ.get("SYNCPOINT_CUDA_FAKE_LIBRARY")

#: Which driver of Vulkan the loader is to take; the routine says so where there is one.
VULKAN = os.environ.get("VK_ICD_FILENAMES")

on_vulkan = pytest.mark.skipif(
    VULKAN is None and "SYNCPOINT_CI" not in os.environ,
    reason="VK_ICD_FILENAMES names no driver of Vulkan; cargo xtask test vulkan installs one, or tells how",
)

on_stand_in = pytest.mark.skipif(
    STAND_IN is None and "SYNCPOINT_CI" not in os.environ,
    reason="SYNCPOINT_CUDA_FAKE_LIBRARY names no stand-in; build it with cargo build -p syncpoint-cuda-fake",
)


def told(program, *arguments, **environment):
    """What a program says, which is given as its text or its file. It must end well, and complain of nothing."""
    command = [sys.executable, *(["-c", program] if isinstance(program, str) else [str(program)]), *arguments]
    ended = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=3 * LONG, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended
    return ended.stdout


def told_on_stand_in(program):
    """The same where the driver of CUDA is the stand-in."""
    return told(program, SYNCPOINT_CUDA_LIBRARY=STAND_IN)
