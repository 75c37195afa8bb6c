"""Explaining a program before it runs: for each task group its type, its loads, and where the type came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dask._task_spec import TaskRef

from asafess.compiler.bound import NOMINAL_THREADS, rates_from
from asafess.compiler.explain.explanation import OF_CLUSTER, Explanation, Row
from asafess.compiler.explain.records import Cluster, known_by, rows_behind
from asafess.compiler.explain.rows import Deciding
from asafess.compiler.explain.task_graph import TaskGraph, is_collection, outside, task_graph
from asafess.compiler.find import text_of
from asafess.compiler.resolve import PrefixTable

if TYPE_CHECKING:
    from distributed import Client


def explain(
    collection: Any,
    client: Client | None = None,
    *,
    rates: Mapping[str, float | None] | None = None,
    threads: int | None = None,
    types: Mapping[str, Mapping[str, Any]] | None = None,
) -> Any:
    """Explain which task types a program has, and where each came from. Nothing is computed.

    Types that nobody has declared are those that the scheduler finds where `asafess.infer` says that it may. Numba
    kernels are counted here, which takes a tenth of a second and more for each.

    Parameters
    ----------
    collection : Dask collection, Future, or nested lists, tuples, sets or dictionaries of such
        Collections are optimized as ``dask.compute`` does it for all of them together.
    client : distributed.Client, optional
        Asked for the sizes of what lies in the cluster already and for the tasks behind futures; where asafess is
        installed, also for what was measured of task groups of the same name or prefix, and for the cluster's rates.
    rates : mapping, optional
        `flop` (flop/s of a thread), `memory` (bytes/s of a thread) and `link` (bytes/s of a worker), as in
        ``asafess.status(client)["rates"]``. What is missing comes from the cluster, else from the configuration
        (`asafess.rates`), else nominal rates of no machine in particular are taken; the explanation says so.
    threads : int, optional
        Threads of a worker, which share its link; else as the cluster has them, or a nominal 4.
    types : mapping, optional
        Task types by prefix, instead of those of the configuration (`asafess.types`).

    Returns
    -------
    Explanation
        With an asynchronous client, an awaitable of it.

    Raises
    ------
    TypeError
        This is no Dask collection; or futures without a client; or an entry of `types` is none.
    ValueError
        An entry of `types`, a rate or a number of threads is not allowed.

    Examples
    --------
    >>> import asafess, dask
    >>> @asafess.task(loads={"compute": 1e6})
    ... def work(x):
    ...     return x
    >>> total = dask.delayed(print)([dask.delayed(work)(k) for k in range(4)])
    >>> explanation = asafess.explain(total)
    >>> [(row.group, row.tasks, row.source, row.bound) for row in explanation]
    [('work', 4, 'decorator', 'compute'), ('print', 1, 'untyped', 'untyped')]
    >>> explanation.untyped
    ('print',)
    """
    collections, futures = _leaves(collection)
    if not collections and not futures:
        raise TypeError(
            "explain takes Dask collections (arrays, dataframes, bags, delayed), futures or lists of them, not a "
            f"{type(collection).__name__} without any"
        )
    if futures and client is None:
        raise TypeError("the tasks behind futures are known to the scheduler only: asafess.explain(futures, client)")
    if client is not None and (is_collection(client) or not hasattr(client, "run_on_scheduler")):
        raise TypeError(
            f"client must be a dask.distributed.Client, not a {type(client).__name__}; for several "
            "collections give a list"
        )
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        raise ValueError(f"threads must be a whole number from 1 on, not {threads!r}")
    table = _configured() if types is None else types
    PrefixTable(table)  # say now what is wrong with it
    given = {name: value for name, value in (rates or {}).items() if value is not None}
    rates_from(given)  # and with these
    graph, problems = _graph(collections)

    def deciding(cluster: Cluster) -> tuple[Deciding, dict[str, str]]:
        used, origin = rates_from({**cluster.rates, **given})
        here = [name for name in origin if origin[name] == "given" and name not in given]
        origin |= {name: OF_CLUSTER[cluster.rates_from[name]] for name in here}
        return Deciding(table, used, threads or cluster.threads or NOMINAL_THREADS, cluster, kernels=True), origin

    def explained(by: Deciding, origin: dict[str, str], behind: Sequence[Row] = ()) -> Explanation:
        rows = by.rows(replace(graph, sizes=by.cluster.sizes))
        return Explanation((*problems, *rows, *behind), by.rates, origin, by.threads, by.cluster.measuring)

    if client is None:
        return explained(*deciding(Cluster()))

    async def asked() -> Explanation:
        by, origin = deciding(await known_by(client, outside(graph)))
        there = replace(by, cluster=replace(by.cluster, sizes={}), kernels=False)
        behind = await rows_behind(client, [future.key for future in futures], there) if futures else ()
        return explained(by, origin, behind)

    return client.sync(asked)


def _configured() -> Mapping[str, Mapping[str, Any]]:
    import dask.config

    return dask.config.get("asafess.types", None) or {}


def _leaves(collection: Any) -> tuple[list[Any], list[Any]]:
    """Return the Dask collections and the futures in nested containers."""
    collections, futures = [], []
    seen = set()
    left = [collection]
    while left:
        one = left.pop()
        if isinstance(one, list | tuple | set | frozenset | dict):
            if id(one) not in seen:  # a list may contain itself
                seen.add(id(one))
                left += reversed(list(one.values() if isinstance(one, dict) else one))
        elif isinstance(one, TaskRef):
            futures.append(one)
        elif is_collection(one):
            collections.append(one)
    return collections, futures


def _graph(collections: Sequence[Any]) -> tuple[TaskGraph, list[Row]]:
    """Return the graph of all collections; a row with the reason for each of which none can be made."""
    if not collections:
        return TaskGraph({}), []
    try:
        return task_graph(collections), []
    except Exception as error:
        if len(collections) == 1:
            why = f"its graph can't be made: {text_of(error)}"
            return TaskGraph({}), [
                Row(type(collections[0]).__name__, 0, 0.0, (), 0, None, {}, None, None, "untyped", why)
            ]
    parts = [_graph([one]) for one in collections]
    nodes = {key: node for graph, _ in parts for key, node in graph.nodes.items()}
    annotations = {key: value for graph, _ in parts for key, value in graph.annotations.items()}
    stated = {name: value for graph, _ in parts for name, value in graph.stated.items()}
    return TaskGraph(nodes, annotations, stated=stated), [row for _, rows in parts for row in rows]
