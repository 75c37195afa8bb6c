"""For ``dask scheduler --preload asafess.preload`` and ``dask worker … --preload asafess.preload``.

The scheduler installs what the configuration says; workers get their half from the scheduler. On a worker
the preload only makes sure, before any task runs, that `asafess` can be imported there.
"""

from __future__ import annotations

import logging
from typing import Any

import dask.config

from asafess.cluster.config import DEFAULTS, Settings, settings
from asafess.cluster.guard import guarded, text
from asafess.cluster.install import register

logger = logging.getLogger("asafess.scheduler")


async def dask_setup(server: Any) -> None:
    """Install on a scheduler; do nothing on a worker or a nanny."""
    from distributed import Scheduler

    if isinstance(server, Scheduler):
        await register(usable_settings(), dask_scheduler=server)


def usable_settings() -> Settings:
    """Return the configured settings, without the optimizations that can't be made, such as a broken package's.

    Nobody is there to hear of an error, and the others are of use. Each that is left out is said in a WARNING.

    Raises
    ------
    ValueError, TypeError
        Anything else in the configuration that is not allowed.

    Examples
    --------
    >>> import dask
    >>> with dask.config.set({"asafess.optimizations": ["null", "absent"]}):
    ...     [one.name for one in usable_settings().optimizations]
    ['null']
    """
    names = dask.config.get("asafess.optimizations", DEFAULTS["asafess"]["optimizations"])
    if not isinstance(names, list | tuple):
        return settings()  # which says what is wrong with that
    settings([])  # so that what is wrong with another setting is not blamed on an optimization
    usable = []
    for name in names:
        try:
            guarded(settings, [name])
        except Exception as error:
            logger.warning("asafess leaves out the configured optimization %r: %s", name, text(error))
        else:
            usable.append(name)
    return settings(usable)
