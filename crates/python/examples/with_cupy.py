"""Work of CuPy between two events of ours, on a stream of CuPy's.

python crates/python/examples/with_cupy.py, where CuPy and a GPU are.
"""

import syncpoint

try:
    import cupy
except ImportError:
    raise SystemExit("CuPy is not installed: nothing to show") from None

try:
    made = cupy.cuda.Stream(non_blocking=True)
except cupy.cuda.runtime.CUDARuntimeError as missing:
    raise SystemExit(f"CuPy has no GPU here ({missing}): nothing to show") from None

# CuPy's streams have their handle as `ptr`; the object is kept as its owner.
stream = syncpoint.external_stream(made.ptr, owner=made)
start, end = (syncpoint.Event(enable_timing=True) for _ in range(2))
with made:
    values = cupy.arange(1 << 20)
    start.record(stream)
    total = values.sum()
    end.record(stream)
end.synchronize(timeout=10)
print(f"a sum took {start.elapsed_time(end):.3f} ms; it is {int(total)}")
