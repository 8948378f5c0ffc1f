"""What a record, a wait and a query of an event take in other libraries, on the GPU of this machine.

python3 crates/cuda/benches/beside.py, in the same hour as cargo bench -p syncpoint-cuda --bench calls. What is not
installed is left out, and says so.
"""

import statistics
import time

TIMES, ROUNDS = 200, 201


def median(call, settle):
    """The middle of the rounds, in microseconds a call."""
    rounds = []
    for _ in range(ROUNDS):
        begin = time.perf_counter_ns()
        for _ in range(TIMES):
            call()
        rounds.append((time.perf_counter_ns() - begin) / TIMES / 1000)
        settle()
    return statistics.median(rounds)


def row(library, record, wait, query, settle):
    took = [median(call, settle) for call in (record, wait, query)]
    print(f"{library:>10}" + "".join(f"{each:>10.2f} us" for each in took))


def torch_events():
    import torch

    stream, other, event = torch.cuda.Stream(), torch.cuda.Stream(), torch.cuda.Event()
    row(
        "torch",
        lambda: event.record(stream),
        lambda: other.wait_event(event),
        event.query,
        torch.cuda.synchronize,
    )


def cupy_events():
    import cupy

    stream, other = (cupy.cuda.Stream(non_blocking=True) for _ in range(2))
    event = cupy.cuda.Event(disable_timing=True)
    row(
        "cupy",
        lambda: event.record(stream),
        lambda: other.wait_event(event),
        lambda: event.done,
        cupy.cuda.Device().synchronize,
    )


def cuda_core_events():
    from cuda.core import Device

    device = Device()
    device.set_current()
    stream, other, event = device.create_stream(), device.create_stream(), device.create_event()
    row(
        "cuda.core",
        lambda: stream.record(event),
        lambda: other.wait(event),
        lambda: event.is_done,
        device.sync,
    )


if __name__ == "__main__":
    print(f"{'':>10}{'record':>13}{'wait':>13}{'query':>13}")
    for library in (torch_events, cupy_events, cuda_core_events):
        try:
            library()
        except Exception as missing:
            print(f"{library.__name__}: not run: {missing}")
