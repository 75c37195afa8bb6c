"""Graphs as the scheduler gets them, and interpreting them task by task."""

import dask
from dask._task_spec import Task, TaskRef, convert_legacy_graph
from dask.local import get_sync

from asafess.compiler.abstract.values import UNKNOWN, ArrayOf, abstracted
from asafess.compiler.infer import found_type, infer


def graph_of(collection):
    """Return the optimized graph of a collection, key → node."""
    (collection,) = dask.optimize(collection)
    return convert_legacy_graph(dict(collection.__dask_graph__()))


def interpreted(graph):
    """Return what each task of a graph does, inputs first."""
    found = {}
    stack = list(graph)
    while stack:
        key = stack[-1]
        open_ = [one for one in graph[key].dependencies if one in graph and one not in found]
        if key in found or open_:
            stack += open_ if key not in found else []
            if key in found:
                stack.pop()
            continue
        values = {one: found[one].value if one in found else UNKNOWN for one in graph[key].dependencies}
        found[key] = infer(graph[key], values.get)
        stack.pop()
    return found


def executed(graph):
    """Return the result of each task of a graph, run one by one."""
    keys = list(graph)
    return dict(zip(keys, get_sync(graph, keys), strict=True))


def compared(collection):
    """Run a collection beside its interpretation.

    Returns
    -------
    dict
        ``tasks``, ``arrays`` (tasks that made arrays), ``exact`` (those foretold with shape, data type and bytes),
        ``wrong`` (foretold otherwise than they came), ``untyped`` (key → why).
    """
    graph = graph_of(collection)
    found, results = interpreted(graph), executed(graph)
    arrays, exact, wrong, untyped = 0, 0, [], {}
    for key, result in results.items():
        inferred = found[key]
        if found_type(inferred, "x") is None:
            untyped[key] = inferred.why
        real = abstracted(result)
        if isinstance(real, ArrayOf):
            arrays += 1
            if isinstance(inferred.value, ArrayOf) and inferred.value.exact:
                same = (inferred.value.shape, inferred.value.nbytes) == (real.shape, real.nbytes)
                exact += same
                if not same or inferred.value.dtype != real.dtype:
                    wrong.append((key, inferred.value, real))
        elif isinstance(inferred.value, ArrayOf):
            wrong.append((key, inferred.value, type(result)))
    return {"tasks": len(graph), "arrays": arrays, "exact": exact, "wrong": wrong, "untyped": untyped}


def called(function, *args, **kwargs):
    """Return what a task does that calls a function with abstract values."""
    given = {f"input {k}": value for k, value in enumerate(args)}
    refs = [TaskRef(key) for key in given]
    return infer(Task("y", function, *refs, **kwargs), given.get)
