"""`torch.cuda`'s events, streams and devices, without torch: `import syncpoint.cuda as cuda` runs code written for it.

They are of CUDA, and tell in torch's words where there is none. `syncpoint.set_default_backend("host")`, or the environment
variable `SYNCPOINT_DEFAULT_BACKEND`, lets the same code run on the host, or on any other backend: so do the examples here.

torch's own current stream is not seen here: inside `with torch.cuda.stream(s)` name the stream,
`event.record(syncpoint.as_stream(s))`.

>>> import syncpoint, syncpoint.cuda as cuda
>>> syncpoint.set_default_backend("host")
>>> start, end = (cuda.Event(enable_timing=True) for _ in range(2))
>>> with cuda.stream(cuda.Stream()):
...     start.record()
...     end.record()
>>> cuda.synchronize(timeout=10)
>>> start.elapsed_time(end) >= 0
True
"""

from . import streams
from ._functions import (
    StreamContext,
    current_device,
    current_stream,
    default_stream,
    device,
    device_count,
    get_stream_from_external,
    is_available,
    is_current_stream_capturing,
    set_device,
    set_stream,
    stream,
    synchronize,
)
from ._mode import get_sync_debug_mode, set_sync_debug_mode
from .streams import Event, ExternalStream, Stream

__all__ = [
    "Event",
    "ExternalStream",
    "Stream",
    "StreamContext",
    "current_device",
    "current_stream",
    "default_stream",
    "device",
    "device_count",
    "get_stream_from_external",
    "get_sync_debug_mode",
    "is_available",
    "is_current_stream_capturing",
    "set_device",
    "set_stream",
    "set_sync_debug_mode",
    "stream",
    "streams",
    "synchronize",
]
