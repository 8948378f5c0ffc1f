"""The classes of `torch.classes`, which scripts use: `syncpoint.classes.cuda.Event` and `Stream`."""

from . import cuda

__all__ = ["cuda"]
