"""For ``dask scheduler --preload asafess.preload`` and ``dask worker … --preload asafess.preload``.

The scheduler installs what the configuration says; workers get their half from the scheduler. On a worker
the preload only makes sure, before any task runs, that `asafess` can be imported there.
"""

from __future__ import annotations

from typing import Any

from asafess.cluster.config import settings
from asafess.cluster.install import register


async def dask_setup(server: Any) -> None:
    """Install on a scheduler; do nothing on a worker or a nanny."""
    from distributed import Scheduler

    if isinstance(server, Scheduler):
        await register(settings(), dask_scheduler=server)
