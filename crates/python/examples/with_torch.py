"""Work of torch, timed and waited for with a deadline; and work of torch on a stream of ours.

python crates/python/examples/with_torch.py, where torch and a GPU are.
"""

import syncpoint

try:
    import torch
except ImportError:
    raise SystemExit("torch is not installed: nothing to show") from None

if not torch.cuda.is_available():
    raise SystemExit("torch has no GPU here: nothing to show")

# torch's stream, taken in. It is torch's still, and lives as long as it is used here.
theirs = syncpoint.as_stream(torch.cuda.Stream())
start, end = (syncpoint.Event(enable_timing=True) for _ in range(2))
with torch.cuda.stream(torch.cuda.ExternalStream(theirs.native_handle)):
    matrix = torch.rand(2048, 2048, device="cuda")
    start.record(theirs)
    product = matrix @ matrix
    end.record(theirs)
end.synchronize(timeout=10)
print(f"a product took {start.elapsed_time(end):.3f} ms on {theirs.device}")

# Ours, given out: torch launches on it, and a gate tells the host.
ours, gate = syncpoint.Stream("cuda"), syncpoint.Gate("torch is done")
with torch.cuda.stream(torch.cuda.ExternalStream(ours.native_handle)):
    product += 1
done = ours.record_event()
done.add_done_callback(lambda failure: gate.open() if failure is None else gate.fail(str(failure)))
gate.point.synchronize(timeout=10)
print("what torch was given on our stream is complete:", done.query())
