"""Where the panels of a matrix live, and on which worker each is multiplied.

Two placements. *resident*: a panel is multiplied where it lives, sweep after sweep. *stream*: it is multiplied on
another worker in each sweep, so that it moves every time, as from global memory to a scratchpad.

A worker that fetched a panel keeps a replica. Without `drop_replicas` between sweeps, a stream placement therefore
stops moving data once every worker has everything.

Not covered: a worker that is lost. Panels and products are restricted to the workers named, so they wait until it is
back at the same address; place the matrix again instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from dask._task_spec import DataNode, Task, TaskRef
from dask.delayed import Delayed
from dask.highlevelgraph import HighLevelGraph, MaterializedLayer

from asafess.workloads.block_spmv import make_csr, make_panel
from asafess.workloads.graph500_edges import check_choice
from asafess.workloads.graph500_matrix import FORMS

if TYPE_CHECKING:
    from distributed import Client, Future, Scheduler

    from asafess.workloads.graph500_matrix import Form, Graph500Matrix

Placement = Literal["resident", "stream"]


def check_synchronous(client: Client) -> None:
    """Raise a TypeError if the client belongs to an event loop: the functions here wait for their results."""
    if client.asynchronous:
        raise TypeError(f"{client!r} is asynchronous; give a synchronous Client, or submit product(...) yourself")


def worker_addresses(client: Client) -> list[str]:
    """Addresses of all workers, sorted, so that two calls number them alike.

    Raises
    ------
    ValueError
        If the cluster has no workers.
    """
    check_synchronous(client)
    # not client.scheduler_info(): what it returns a client renews every two seconds in the background, without workers
    addresses = sorted(client.nthreads())
    if not addresses:
        raise ValueError("the cluster has 0 workers; at least 1 must have joined (client.wait_for_workers)")
    return addresses


def homes(panels: int, workers: Sequence[str]) -> list[str]:
    """Worker that each panel lives on: round robin.

    Examples
    --------
    >>> homes(3, ["a", "b"])
    ['a', 'b', 'a']
    """
    return [workers[p % len(workers)] for p in range(panels)]


def targets(panels: int, workers: Sequence[str], sweep: int, placement: Placement = "stream") -> list[str]:
    """Worker that multiplies each panel in a sweep, for `asafess.workloads.block_spmv.product`.

    Parameters
    ----------
    panels : int
        Number of panels.
    workers : sequence of str
        Addresses; panel p lives on number h = p mod W of them.
    sweep : int
        Number k of the sweep.
    placement : {"stream", "resident"}
        "stream": number (h + 1 + (k + p div W) mod (W − 1)) mod W, which is never h: every panel moves in every
        sweep, everyone sends and receives equally much, and the panels of one worker go to all the others.
        "resident": h. With one worker both are the same.

    Returns
    -------
    list of str

    Examples
    --------
    >>> [targets(3, "abc", k) for k in range(3)]
    [['b', 'c', 'a'], ['c', 'a', 'b'], ['b', 'c', 'a']]
    >>> targets(3, "abc", 7, "resident")
    ['a', 'b', 'c']
    """
    check_choice("placement", placement, ("resident", "stream"))
    w = len(workers)
    if placement == "resident" or w == 1:
        return homes(panels, workers)
    return [workers[(p + 1 + (sweep + p // w) % (w - 1)) % w] for p in range(panels)]


def place(
    client: Client,
    matrix: Graph500Matrix,
    form: Form | Literal["csr"] = "dense",
    workers: Sequence[str] | None = None,
) -> list[Future]:
    """Make the panels of a matrix on the workers, round robin, in one graph, and wait until they are there.

    Parameters
    ----------
    client : distributed.Client
        A synchronous one.
    matrix : Graph500Matrix
        Travels as its description; nothing but that leaves the client.
    form : {"dense", "sparse", "light", "full", "csr"}
        Form of the panels; "csr" makes SciPy arrays.
    workers : sequence of str, optional
        Addresses; `worker_addresses` by default.

    Returns
    -------
    list of distributed.Future
        Panels from top to bottom. Panel p is restricted to its home, which `drop_replicas` relies on.

    Raises
    ------
    TypeError
        If the client is asynchronous.
    ValueError
        If the form is unknown or there are no workers. What a task raises is raised here.
    """
    check_choice("form", form, (*FORMS, "csr"))
    check_synchronous(client)
    workers = worker_addresses(client) if workers is None else list(workers)
    token = uuid4().hex
    name = f"panel-{token}"
    source = f"matrix-{token}"
    tasks: dict[Any, Any] = {}
    for p in range(matrix.panels):
        if form == "csr":
            tasks[name, p] = Task((name, p), make_csr, TaskRef(source), p)
        else:
            tasks[name, p] = Task((name, p), make_panel, TaskRef(source), p, form)
    annotations = {"workers": dict(zip(tasks, homes(matrix.panels, workers), strict=True)).__getitem__}
    graph = HighLevelGraph(
        {
            source: MaterializedLayer({source: DataNode(source, matrix)}),
            name: MaterializedLayer(tasks, annotations=annotations),
        },
        {source: set(), name: {source}},
    )
    futures: list[Future] = client.compute([Delayed(key, graph, layer=name) for key in tasks])
    for future in futures:  # not `distributed.wait`, which looks for a default client
        if future.exception() is not None:
            future.result()
    return futures


def drop_replicas(client: Client, futures: Sequence[Future]) -> int:
    """Leave each panel only on its home, so that the next sweep moves it again.

    The home is the worker that the task is restricted to, as in `place`; without a restriction, or where the home
    does not hold it, the first holder by address. The last copy of a panel is never dropped.
    Workers hear of it on the stream that also brings their next tasks, so a product submitted after this call
    fetches again. A worker that still needs a replica for a running task keeps it.

    Parameters
    ----------
    client : distributed.Client
        A synchronous one.
    futures : sequence of distributed.Future
        Panels; those that are not in memory are left alone.

    Returns
    -------
    int
        Number of replicas dropped.
    """
    check_synchronous(client)
    dropped: int = client.run_on_scheduler(_drop_replicas, keys=[future.key for future in futures])
    return dropped


def _drop_replicas(dask_scheduler: Scheduler, keys: Sequence[Any]) -> int:
    """Run in the scheduler: see `drop_replicas`."""
    superfluous: dict[str, list[Any]] = {}
    for key in keys:
        ts = dask_scheduler.tasks.get(key)
        if ts is None or not ts.who_has or len(ts.who_has) == 1:
            continue
        holders = sorted(ws.address for ws in ts.who_has)
        at_home = [address for address in holders if address in (ts.worker_restrictions or ())]
        home = (at_home or holders)[0]
        for address in holders:
            if address != home:
                superfluous.setdefault(address, []).append(key)
    for address, extra in superfluous.items():
        dask_scheduler.request_remove_replicas(address, extra, stimulus_id="asafess-drop-replicas")
    return sum(map(len, superfluous.values()))
