"""Looking at an installation and steering it, live, from any client."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any

from asafess.cluster.checks import trace_path
from asafess.cluster.remote import on_scheduler, plugin_of, sync

if TYPE_CHECKING:
    from distributed import Client, Scheduler


def status(client: Client) -> Any:
    """Return a dict: states, mode, rates, switches with causes, counters, faults.

    Raises
    ------
    NotInstalledError
        `asafess` is not installed on this cluster.
    """
    return sync(client, on_scheduler, _status)


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
    return sync(client, on_scheduler, _control, name, state)


def auto(client: Client, name: str) -> Any:
    """Give an optimization back to its policy, after `pin` or `shadow`. Raises as `pin` does."""
    return sync(client, on_scheduler, _control, name, "auto")


def shadow(client: Client, name: str) -> Any:
    """Let an optimization decide and log what it would do, but act on nothing: it stays off. Raises as `pin` does."""
    return sync(client, on_scheduler, _control, name, "shadow")


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
    return sync(client, on_scheduler, _trace, trace_path("the path of a trace", path))


def reset(client: Client) -> Any:
    """Forget what was learned of tasks and data, and start from *off*; rates and pins stay."""
    return sync(client, on_scheduler, _reset)


def wait(client: Client, timeout: float = 60.0) -> Any:
    """Wait until every worker takes states and the cluster's rates are known; return the status.

    Raises
    ------
    TimeoutError
        After `timeout` seconds; says what is missing.
    """
    return sync(client, on_scheduler, _wait, timeout)


async def _wait(timeout: float, dask_scheduler: Scheduler) -> dict[str, Any]:
    deadline = time.monotonic() + timeout
    while True:
        plugin = plugin_of(dask_scheduler)
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


def _status(dask_scheduler: Scheduler) -> dict[str, Any]:
    return plugin_of(dask_scheduler).status()


def _control(name: str, control: str, dask_scheduler: Scheduler) -> None:
    plugin = plugin_of(dask_scheduler)
    if plugin.fault:
        raise RuntimeError(f"asafess has failed and is off: {plugin.fault}; asafess.install(client) starts it anew")
    if not isinstance(name, str):
        raise ValueError(f"an optimization is named by a text, not {name!r}; one call for each")
    plugin.control(name, control)


def _trace(path: str | None, dask_scheduler: Scheduler) -> None:
    try:
        plugin_of(dask_scheduler).trace(path)
    except OSError as error:
        raise ValueError(f"no trace can be written to {path!r} on the scheduler's machine: {error}") from None


async def _reset(dask_scheduler: Scheduler) -> None:
    await plugin_of(dask_scheduler).reset()
