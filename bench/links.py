"""Clusters to measure on: real processes, joined by shaped links or by plain loopback, with one interface.

Scheduler and client are where the calling program is; every worker has an address of its own. Both context managers
yield a `Cluster` with ``address``, ``workers``, ``describe()`` and ``log(name)``, and clean up on leaving, on an
exception, on Ctrl-C, on SIGTERM and at exit. Not covered here: how links are built (`namespaces.py`) and how
processes are run (`processes.py`).

A program that wants shaped links calls `enter()` first thing, then asks `allowed()`::

    enter()
    ok, reason = allowed()
    if ok:
        with shaped_cluster(4, rate="1gbit") as cluster, Client(cluster.address) as client: ...
    else:
        print(f"no shaped links: {reason}")
"""

from __future__ import annotations

import atexit
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from .namespaces import LATENCY_MS, allowed, bridged, burst_bytes, enter
from .processes import Cluster, dask_processes

__all__ = ["Cluster", "allowed", "enter", "local_cluster", "shaped_cluster"]


@contextmanager
def _closed_at_exit() -> Iterator[ExitStack]:
    """Yield a stack that is also closed when the program is terminated or ends without leaving the block."""
    stack = ExitStack()
    atexit.register(stack.close)
    stack.callback(atexit.unregister, stack.close)
    in_main = threading.current_thread() is threading.main_thread()
    if in_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        stack.callback(signal.signal, signal.SIGTERM, signal.SIG_DFL)
    with stack:
        yield stack


@contextmanager
def shaped_cluster(
    n_workers: int = 4,
    rate: str | None = "1gbit",
    threads: int = 1,
    scheduler_args: Sequence[str] = (),
    worker_args: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> Iterator[Cluster]:
    """Start a scheduler and workers joined by links of `rate` bit/s in each direction (None: unshaped veth).

    Raises
    ------
    PermissionError
        Where `allowed()` says no.
    """
    ok, reason = allowed()
    if not ok:
        raise PermissionError(f"shaped links are not available here: {reason}")
    with _closed_at_exit() as stack:
        net = stack.enter_context(bridged(n_workers, rate))
        about: dict[str, Any] = {"links": "veth through a bridge", "rate": rate}
        if rate is not None:
            about |= {"tbf_burst_bytes": burst_bytes(rate), "tbf_latency_ms": LATENCY_MS}
        yield stack.enter_context(
            dask_processes(net.root, net.hosts, net.prefixes, threads, scheduler_args, worker_args, env, about)
        )


@contextmanager
def local_cluster(
    n_workers: int = 4,
    threads: int = 1,
    scheduler_args: Sequence[str] = (),
    worker_args: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
) -> Iterator[Cluster]:
    """Start the same processes on plain loopback, each worker on an address of its own (127.0.0.x).

    Workers are run by `prefix`, a command that runs the rest of its line.

    Addresses differ because Dask neither compresses nor serializes in the same way between two ends of one host name.
    """
    with _closed_at_exit() as stack:
        hosts = [f"127.0.0.{i + 2}" for i in range(n_workers)]
        about = {"links": "loopback", "rate": None}
        yield stack.enter_context(
            dask_processes("127.0.0.1", hosts, [prefix] * n_workers, threads, scheduler_args, worker_args, env, about)
        )
