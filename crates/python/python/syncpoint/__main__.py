"""The program of the command line: `python -m syncpoint devices`, `run FILE` or `bench`. `--help` tells all of it."""

import signal
import sys

from . import _native

if __name__ == "__main__":
    # The program has handlers of its own, and is ended by Ctrl-C where it has none: Python's would wait for it to end.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_native.main(["syncpoint", *sys.argv[1:]]))
