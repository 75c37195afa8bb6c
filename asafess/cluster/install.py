"""Putting `asafess` on a cluster and taking it off again, from a client or from the scheduler's preload."""

from __future__ import annotations

import asyncio
import pydoc
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from asafess.cluster.config import Settings, settings
from asafess.cluster.messages import NAME
from asafess.cluster.scheduler_plugin import AsafessSchedulerPlugin
from asafess.optimizations.base import Optimization

if TYPE_CHECKING:
    from distributed import Client, Scheduler


class NotInstalledError(RuntimeError):
    """`asafess` is not where it is needed."""


def install(client: Client, optimizations: Iterable[str | Optimization] | None = None, **given: Any) -> Any:
    """Install `asafess` on a running cluster.

    Returns within a second. Nothing is switched until the cluster's rates are known, which a probe of about
    two seconds in the background finds out. Installing again replaces what was there.

    Parameters
    ----------
    client : distributed.Client
        Any client of the cluster, synchronous or not (then the result is awaited).
    optimizations : iterable of str or Optimization, optional
        Names or objects; those of the configuration (``asafess.optimizations``) where left out.
    **given
        Other keys of the configuration, see ``asafess.yaml``.

    Raises
    ------
    ValueError, TypeError
        A setting that is not allowed.
    NotInstalledError
        The scheduler or a worker can't import `asafess`; nothing is left behind.

    Examples
    --------
    >>> import asafess
    >>> from dask.distributed import Client
    >>> with Client(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as client:
    ...     asafess.install(client)
    ...     asafess.status(client)["states"]
    ...     asafess.uninstall(client)
    {'tile_compression': 'off'}
    """
    return client.sync(_install, client, settings(optimizations, **given))


def uninstall(client: Client) -> Any:
    """Take `asafess` off a running cluster; every optimization is left first. Does nothing where it is not."""
    return client.sync(_on_scheduler, client, unregister)


def status(client: Client) -> Any:
    """Return a dict: states, mode, rates, switches with causes, counters, faults.

    Raises
    ------
    NotInstalledError
        `asafess` is not installed on this cluster.
    """
    return client.sync(_on_scheduler, client, _status, True)


def pin(client: Client, name: str, state: str | None) -> Any:
    """Set the state of one optimization by hand; ``None`` gives it back to its policy.

    Raises
    ------
    ValueError
        An unknown optimization or state.
    NotInstalledError
        `asafess` is not installed on this cluster.
    """
    return client.sync(_on_scheduler, client, _pin, name, state)


def reset(client: Client) -> Any:
    """Forget what was learned of tasks and data, and start from *off*; rates and pins stay."""
    return client.sync(_on_scheduler, client, _reset)


def wait(client: Client, timeout: float = 60.0) -> Any:
    """Wait until every worker takes states and the cluster's rates are known; return the status.

    Raises
    ------
    TimeoutError
        After `timeout` seconds; says what is missing.
    """
    return client.sync(_wait, client, timeout)


async def _wait(client: Client, timeout: float) -> dict[str, Any]:
    deadline = time.monotonic() + timeout
    while True:
        now: dict[str, Any] = await _on_scheduler(client, _status, False)
        if now["fault"]:
            raise RuntimeError(f"asafess has failed: {now['fault']}")
        if now["rates"] and len(now["ready"]) == now["workers"]:
            return now
        if time.monotonic() > deadline:
            raise TimeoutError(
                f"after {timeout:.0f} s {len(now['ready'])} of {now['workers']} workers are ready and the rates are "
                f"{'known' if now['rates'] else 'not known'}"
            )
        await asyncio.sleep(0.05)


async def _install(client: Client, wanted: Settings) -> None:
    # a function of the standard library, because ours can't be unpickled where we are not installed
    found = {"the scheduler": await client.run_on_scheduler(pydoc.locate, "asafess.__version__")}
    workers = await client.run(pydoc.locate, "asafess.__version__")
    found.update({f"worker {address}": version for address, version in workers.items()})
    missing = [place for place, version in found.items() if version is None]
    if missing:
        raise NotInstalledError(
            f"asafess can't be imported by {', '.join(missing)}; install it there: pip install asafess"
        )
    await _on_scheduler(client, register, wanted)


async def _on_scheduler(client: Client, function: Any, *args: Any) -> Any:
    return await client.run_on_scheduler(function, *args)


async def register(wanted: Settings, dask_scheduler: Scheduler) -> None:
    """Register both plugins on this scheduler, in place of those that were there.

    Raises
    ------
    NotInstalledError
        When a worker could not set its half up; nothing is left behind.
    """
    await unregister(dask_scheduler)
    plugin = AsafessSchedulerPlugin(wanted)
    await dask_scheduler.register_scheduler_plugin(plugin, name=NAME, idempotent=True)
    answers = await dask_scheduler.register_worker_plugin(None, plugin.worker_plugin(), name=NAME, idempotent=False)
    failed = {worker: answer for worker, answer in answers.items() if answer.get("status") == "error"}
    if failed:
        await unregister(dask_scheduler)
        worker, answer = next(iter(failed.items()))
        raise NotInstalledError(f"asafess could not be set up on {len(failed)} workers, first on {worker}: {answer!r}")


async def unregister(dask_scheduler: Scheduler) -> None:
    """Remove both plugins from this scheduler."""
    plugin = dask_scheduler.plugins.get(NAME)
    if isinstance(plugin, AsafessSchedulerPlugin):
        plugin.uninstall()
        await dask_scheduler.unregister_scheduler_plugin(NAME)
    if NAME in dask_scheduler.worker_plugins:
        await dask_scheduler.unregister_worker_plugin(None, NAME)


def _plugin(scheduler: Scheduler) -> AsafessSchedulerPlugin:
    plugin = scheduler.plugins.get(NAME)
    if not isinstance(plugin, AsafessSchedulerPlugin):
        raise NotInstalledError("asafess is not installed on this cluster; call asafess.install(client)")
    return plugin


def _status(story: bool, dask_scheduler: Scheduler) -> dict[str, Any]:
    return _plugin(dask_scheduler).status(story)


def _pin(name: str, state: str | None, dask_scheduler: Scheduler) -> None:
    _plugin(dask_scheduler).pin(name, state)


async def _reset(dask_scheduler: Scheduler) -> None:
    await _plugin(dask_scheduler).reset()
