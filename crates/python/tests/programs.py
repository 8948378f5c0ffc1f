"""Programs of their own: what they say and how they end."""

import subprocess
import sys

from conftest import LONG


def run(source):
    """How a program of Python's ends: its code, and what it told and complained of."""
    return _end("-c", source)


def run_file(path):
    """The same of a program in a file."""
    return _end(str(path))


def _end(*arguments):
    command = [sys.executable, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            told, complained = child.communicate(timeout=3 * LONG)
        finally:
            child.kill()
    return child.returncode, told, complained
