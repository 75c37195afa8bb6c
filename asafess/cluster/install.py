"""Putting `asafess` on a cluster and taking it off again, from a client or from the scheduler's preload."""

from __future__ import annotations

import asyncio
import pydoc
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from distributed.protocol.pickle import dumps, loads

from asafess.cluster.config import Settings, settings
from asafess.cluster.messages import NAME
from asafess.cluster.remote import NotInstalledError, on_scheduler, sync
from asafess.cluster.scheduler_plugin import AsafessSchedulerPlugin
from asafess.optimizations.base import Optimization
from asafess.optimizations.registry import BUILT_IN

if TYPE_CHECKING:
    from distributed import Client, Scheduler


def install(client: Client, optimizations: Iterable[str | Optimization] | None = None, **given: Any) -> Any:
    """Install `asafess` on a running cluster.

    Returns within a second. Nothing is switched until the cluster's rates are known, which a probe of about
    two seconds in the background finds out. An installation is the cluster's, not the client's: installing again,
    from any client, replaces what was there, pins included.

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
        The scheduler or a worker can't import `asafess`, or the module of an optimization; nothing is left behind.

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
    return sync(client, _install, settings(optimizations, **given))


def uninstall(client: Client) -> Any:
    """Take `asafess` off a running cluster; every optimization is left first. Does nothing where it is not."""
    return sync(client, on_scheduler, unregister)


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
    await _try(client, wanted)
    await on_scheduler(client, register, wanted)


async def _try(client: Client, wanted: Settings) -> None:
    """Unpickle the settings everywhere: where an optimization's module is missing, nothing has been changed yet."""
    pickled = dumps(wanted)
    failed = {}
    try:
        await client.run_on_scheduler(_unpickle, pickled)
    except ImportError as error:
        failed["the scheduler"] = error
    answers = await client.run(_unpickle, pickled, on_error="return")
    failed.update({f"worker {at}": error for at, error in answers.items() if isinstance(error, ImportError)})
    if failed:
        names = ", ".join(sorted(type(one).__module__ for one in wanted.optimizations if one.name not in BUILT_IN))
        raise NotInstalledError(
            f"{', '.join(failed)} can't import {names}: {next(iter(failed.values()))}; install it there, or see to it "
            "that it is on PYTHONPATH"
        )


def _unpickle(pickled: bytes) -> None:
    """Unpickle and drop; what can't be imported raises."""
    loads(pickled)


async def register(wanted: Settings, dask_scheduler: Scheduler) -> None:
    """Register both plugins on this scheduler, in place of those that were there.

    Raises
    ------
    NotInstalledError
        When a worker could not set its half up; nothing is left behind.
    """
    async with _lock(dask_scheduler):
        await _register(wanted, dask_scheduler)


async def unregister(dask_scheduler: Scheduler) -> None:
    """Remove both plugins from this scheduler."""
    async with _lock(dask_scheduler):
        await _unregister(dask_scheduler)


#: scheduler → lock: two clients may install at the same time, and the halves of one of them must stay together
_locks: WeakKeyDictionary[Any, asyncio.Lock] = WeakKeyDictionary()


def _lock(dask_scheduler: Scheduler) -> asyncio.Lock:
    return _locks.setdefault(dask_scheduler, asyncio.Lock())


async def _register(wanted: Settings, dask_scheduler: Scheduler) -> None:
    await _unregister(dask_scheduler)
    plugin = AsafessSchedulerPlugin(wanted)
    await dask_scheduler.register_scheduler_plugin(plugin, name=NAME, idempotent=False)
    try:
        answers = await dask_scheduler.register_worker_plugin(None, plugin.worker_plugin(), name=NAME, idempotent=False)
    except Exception as error:  # so Dask answers for a worker that can't unpickle it
        await _unregister(dask_scheduler)
        raise NotInstalledError(f"asafess could not be set up on a worker: {error}") from None
    failed = {worker: answer for worker, answer in answers.items() if answer.get("status") == "error"}
    if failed:
        await _unregister(dask_scheduler)
        worker, answer = next(iter(failed.items()))
        raise NotInstalledError(f"asafess could not be set up on {len(failed)} workers, first on {worker}: {answer!r}")


async def _unregister(dask_scheduler: Scheduler) -> None:
    plugin = dask_scheduler.plugins.get(NAME)
    if isinstance(plugin, AsafessSchedulerPlugin):
        plugin.uninstall()
        await dask_scheduler.unregister_scheduler_plugin(NAME)
    if NAME in dask_scheduler.worker_plugins:
        await dask_scheduler.unregister_worker_plugin(None, NAME)
