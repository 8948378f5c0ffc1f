"""Arrays of the host in the work of streams: kept until it is done, and read and written where they lie."""

from __future__ import annotations

import ctypes
from typing import Any

from . import _native

#: What gives its memory as a buffer: bytes, bytearray, memoryview, array.array, NumPy's arrays.
Array = Any


def _memory(array: Array) -> memoryview:
    """The bytes of an array. While there is a view nobody can make it longer or shorter."""
    view = memoryview(array)
    if not view.c_contiguous:
        raise ValueError("the memory of the array does not lie in one piece; give numpy.ascontiguousarray(array)")
    # A view of no bytes may have a shape that cannot be cast.
    return view.cast("B") if view.nbytes else memoryview(b"" if view.readonly else bytearray())


def _writable(array: Array) -> memoryview:
    view = _memory(array)
    if view.readonly:
        raise ValueError(f"the memory of the {type(array).__name__} cannot be written; give a writable copy")
    return view


def _address(view: memoryview) -> ctypes.Array[ctypes.c_char]:
    return (ctypes.c_char * len(view)).from_buffer(view)


def _bytes(array: Array) -> bytes:
    return bytes(_memory(array))


def _fill(stream: _native.Stream, target: Array, value: int) -> None:
    memory = _writable(target)
    if len(memory):
        stream.enqueue(ctypes.memset, _address(memory), value, len(memory))


def _copy(stream: _native.Stream, source: Any, target: Any) -> None:
    read = source if isinstance(source, _native.Buffer) else _memory(source)
    written = target if isinstance(target, _native.Buffer) else _writable(target)
    if len(read) != len(written):
        raise ValueError(f"{len(read)} bytes are not copied to {len(written)}; give parts of one length")
    stream.enqueue(_move, read, written)


def _move(source: _native.Buffer | memoryview, target: _native.Buffer | memoryview) -> None:
    """Called when the stream comes there."""
    if isinstance(target, _native.Buffer):
        assert isinstance(source, memoryview)
        target.write(bytes(source))
    elif isinstance(source, _native.Buffer):
        target[:] = source.to_bytes()
    elif source.readonly:
        target[:] = source
    else:
        # Lets the interpreter go on meanwhile.
        ctypes.memmove(_address(target), _address(source), len(target))
