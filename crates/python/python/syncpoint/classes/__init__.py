"""The classes of `torch.classes`, which scripts use: `syncpoint.classes.cuda.Event` and `Stream`.

>>> import syncpoint
>>> syncpoint.set_default_backend("host")
>>> syncpoint.classes.cuda.Event().query()
True
"""

from . import cuda

__all__ = ["cuda"]
