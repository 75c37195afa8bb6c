"""Putting `asafess` on a cluster and taking it off again, from a client or from the scheduler's preload."""

from __future__ import annotations

import asyncio
import inspect
import os
import pydoc
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from asafess.cluster.checks import trace_path
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
    return _sync(client, _install, settings(optimizations, **given))


def uninstall(client: Client) -> Any:
    """Take `asafess` off a running cluster; every optimization is left first. Does nothing where it is not."""
    return _sync(client, _on_scheduler, unregister)


def status(client: Client) -> Any:
    """Return a dict: states, mode, rates, switches with causes, counters, faults.

    Raises
    ------
    NotInstalledError
        `asafess` is not installed on this cluster.
    """
    return _sync(client, _on_scheduler, _status)


def pin(client: Client, name: str, state: str) -> Any:
    """Set the state of one optimization by hand, at once, until `auto`.

    Raises
    ------
    ValueError
        An unknown optimization or state.
    NotInstalledError
        `asafess` is not installed on this cluster.
    RuntimeError
        `asafess` has failed there, so everything stays off.
    """
    return _sync(client, _on_scheduler, _control, name, state)


def auto(client: Client, name: str) -> Any:
    """Give an optimization back to its policy, after `pin` or `shadow`. Raises as `pin` does."""
    return _sync(client, _on_scheduler, _control, name, "auto")


def shadow(client: Client, name: str) -> Any:
    """Let an optimization decide and log what it would do, but act on nothing: it stays off. Raises as `pin` does."""
    return _sync(client, _on_scheduler, _control, name, "shadow")


def trace(client: Client, path: str | os.PathLike[str] | None) -> Any:
    """Record samples, decisions and costs into a file of the scheduler's machine; None ends the trace.

    JSON lines; ``asafess replay`` and ``asafess score`` read them. A regular file that is there is replaced. When it
    has grown to half of ``asafess.trace-size`` it becomes ``path.1``, and a new one is begun.

    Raises
    ------
    ValueError
        This is no path, or the file can't be opened, or is no regular file.
    NotInstalledError
        `asafess` is not installed on this cluster.
    """
    return _sync(client, _on_scheduler, _trace, trace_path("the path of a trace", path))


def reset(client: Client) -> Any:
    """Forget what was learned of tasks and data, and start from *off*; rates and pins stay."""
    return _sync(client, _on_scheduler, _reset)


def wait(client: Client, timeout: float = 60.0) -> Any:
    """Wait until every worker takes states and the cluster's rates are known; return the status.

    Raises
    ------
    TimeoutError
        After `timeout` seconds; says what is missing.
    """
    return _sync(client, _on_scheduler, _wait, timeout)


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


def _sync(client: Client, function: Any, *args: Any) -> Any:
    if not hasattr(client, "run_on_scheduler"):
        raise TypeError(f"asafess works on a dask.distributed.Client, not on {client!r}")
    return client.sync(function, client, *args)


async def _on_scheduler(client: Client, function: Any, *args: Any) -> Any:
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


async def _wait(timeout: float, dask_scheduler: Scheduler) -> dict[str, Any]:
    deadline = time.monotonic() + timeout
    while True:
        plugin = _plugin(dask_scheduler)
        if plugin.fault:
            raise RuntimeError(f"asafess has failed: {plugin.fault}")
        if plugin.rates and plugin.ready >= set(dask_scheduler.workers):
            return plugin.status(story=False)
        if time.monotonic() >= deadline:
            raise TimeoutError(
                f"after {timeout:g} s {len(plugin.ready)} of {len(dask_scheduler.workers)} workers are ready and the "
                f"rates are {'known' if plugin.rates else 'not known'}"
            )
        await asyncio.sleep(0.05)


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
    answers = await dask_scheduler.register_worker_plugin(None, plugin.worker_plugin(), name=NAME, idempotent=False)
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


def _plugin(scheduler: Scheduler) -> AsafessSchedulerPlugin:
    plugin = scheduler.plugins.get(NAME)
    if not isinstance(plugin, AsafessSchedulerPlugin):
        raise NotInstalledError("asafess is not installed on this cluster; call asafess.install(client)")
    return plugin


def _status(dask_scheduler: Scheduler) -> dict[str, Any]:
    return _plugin(dask_scheduler).status()


def _control(name: str, control: str, dask_scheduler: Scheduler) -> None:
    plugin = _plugin(dask_scheduler)
    if plugin.fault:
        raise RuntimeError(f"asafess has failed and is off: {plugin.fault}; asafess.install(client) starts it anew")
    plugin.control(name, control)


def _trace(path: str | None, dask_scheduler: Scheduler) -> None:
    try:
        _plugin(dask_scheduler).trace(path)
    except OSError as error:
        raise ValueError(f"no trace can be written to {path!r} on the scheduler's machine: {error}") from None


async def _reset(dask_scheduler: Scheduler) -> None:
    await _plugin(dask_scheduler).reset()
