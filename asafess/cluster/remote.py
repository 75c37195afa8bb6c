"""Calling functions of ours in the scheduler, from a client, with errors a user understands."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from asafess.cluster.messages import NAME
from asafess.cluster.scheduler_plugin import AsafessSchedulerPlugin

if TYPE_CHECKING:
    from distributed import Client, Scheduler


class NotInstalledError(RuntimeError):
    """`asafess` is not where it is needed."""


def sync(client: Client, function: Any, *args: Any) -> Any:
    """Run ``function(client, *args)``; with an asynchronous client the result is awaited."""
    if not hasattr(client, "run_on_scheduler"):
        raise TypeError(f"asafess works on a dask.distributed.Client, not on {client!r}")
    return client.sync(function, client, *args)


async def on_scheduler(client: Client, function: Any, *args: Any) -> Any:
    """Call a function of ours in the scheduler, as ``function(*args, dask_scheduler)``."""
    try:
        ok, answer = await client.run_on_scheduler(_answered, function, args)
    except ModuleNotFoundError as error:
        if "'asafess" not in str(error):
            raise
        raise NotInstalledError(
            "asafess can't be imported by the scheduler; install it there: pip install asafess"
        ) from None
    if not ok:
        raise answer
    return answer


async def _answered(function: Any, args: tuple[Any, ...], dask_scheduler: Scheduler) -> tuple[bool, Any]:
    """Return a user's mistake instead of raising it: Dask would log a traceback in the scheduler and the client."""
    try:
        answer = function(*args, dask_scheduler)
        return True, await answer if inspect.isawaitable(answer) else answer
    except (ValueError, TimeoutError, RuntimeError) as error:
        return False, error


def plugin_of(scheduler: Scheduler) -> AsafessSchedulerPlugin:
    """Return the installed plugin, or raise `NotInstalledError`."""
    plugin = scheduler.plugins.get(NAME)
    if not isinstance(plugin, AsafessSchedulerPlugin):
        raise NotInstalledError(
            "asafess is not installed on this cluster; call asafess.install(client), or start its scheduler and "
            "workers with --preload asafess.preload"
        )
    return plugin
