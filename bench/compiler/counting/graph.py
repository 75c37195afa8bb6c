"""Counting what each task of a graph does: it is run here, on the arrays of `counter.py`.

Functions are run as they are, with three exceptions: a kernel of Numba is run as `loops.instrumented`; Dask's
`concatenate3` goes another way for arrays that are not exactly NumPy's, so it is handed plain ones and counted as one
copy; and conversions by `numpy.asarray` leave counted arrays what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from unittest import mock

import numpy as np
from dask._task_spec import DataNode, GraphNode, Task
from dask.array import core as dask_array

from ..graph import Graph, run
from .array import CountedArray
from .counter import Counter, arrays_in, plain
from .frames import count_frames
from .loops import instrumented

_CONCATENATE = dask_array.concatenate3


def count(of: Graph) -> tuple[dict[Any, Counter], dict[Any, Any]]:
    """Run a graph on counted arrays; return what each task did, and what was asked for as plain arrays."""
    counters: dict[Any, Counter] = {}

    def call(node: GraphNode, values: Mapping[Any, Any]) -> Any:
        counter = counters[node.key] = Counter()
        handed = {key: counter.wrap(value) for key, value in values.items()}
        concatenate = _concatenate(counter)
        with (
            mock.patch.multiple(np, asarray=_kept(np.asarray), array=_kept(np.array, copies=True)),
            mock.patch.object(dask_array, "concatenate3", concatenate),
        ):
            result = _counting(node, counter, concatenate)(handed)
        made = arrays_in(result)
        if made and arrays_in(list(values.values())) and not any(isinstance(array, CountedArray) for array in made):
            counter.unseen["a function that returns a plain array"] += 1
        count_frames(counter, list(values.values()), result)
        return plain(result)

    values = run(of, call)
    return counters, values


def _concatenate(counter: Counter) -> Callable[[Any], Any]:
    def concatenate3(blocks: Any) -> Any:
        bare = plain(blocks)
        result = _CONCATENATE(bare)
        counter.moved(bare, result)
        return counter.wrap(result)

    return concatenate3


def _kept(function: Callable[..., Any], copies: bool = False) -> Callable[..., Any]:
    """Return a conversion to an array that leaves counted ones what they are."""

    def convert(value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, CountedArray) and not args and kwargs.keys() <= {"copy", "like"}:
            return value.copy() if copies and kwargs.get("copy", True) else value
        return function(value, *args, **kwargs)

    return convert


def _counting(thing: Any, counter: Counter, concatenate: Callable[[Any], Any]) -> Any:
    """Return a task, or what stands in one, with what can't count by itself replaced."""

    def inside(value: Any) -> Any:
        return _counting(value, counter, concatenate)

    if thing is _CONCATENATE:
        return concatenate
    if hasattr(thing, "py_func"):
        return instrumented(thing, counter)
    if isinstance(thing, partial):
        keywords = {name: inside(value) for name, value in thing.keywords.items()}
        return partial(inside(thing.func), *map(inside, thing.args), **keywords)
    if isinstance(thing, DataNode):
        return DataNode(thing.key, counter.wrap(inside(thing.value)))
    if type(thing) is Task:
        kwargs = {name: inside(value) for name, value in thing.kwargs.items()}
        return Task(thing.key, inside(thing.func), *map(inside, thing.args), **kwargs)
    if type(thing) is dict:
        return {key: inside(value) for key, value in thing.items()}
    return thing
