"""A stream of cuda.core that waits for work of ours, and its work waited for with a deadline.

python crates/python/examples/with_cuda_core.py, where cuda.core and a GPU (or the stand-in driver) are.
"""

import syncpoint

try:
    from cuda.core import Device
except ImportError:
    raise SystemExit("cuda.core is not installed: nothing to show") from None

try:
    device = Device()
    device.set_current()
    made = device.create_stream()
except Exception as missing:
    raise SystemExit(f"cuda.core has no GPU here ({missing}): nothing to show") from None

theirs, ours = syncpoint.as_stream(made), syncpoint.Stream("cuda")
memory = ours.device.buffer(1 << 20)
ours.fill(memory, 7)
ours.record_event().wait(theirs)
end = made.record()
done = theirs.record_event()
done.synchronize(timeout=10)
end.sync()
print("cuda.core's stream came to its end behind ours:", end.is_done and memory[:4].to_bytes() == b"\x07" * 4)
