"""What one task costs that calls a Numba kernel: counted for its real arguments, where it runs.

Reading a kernel takes a tenth of a second and more: that is for a worker's thread or a client, not for the scheduler.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from dask._task_spec import Alias, DataNode, Task, TaskRef
from dask.sizeof import sizeof


def kernel(function: Any) -> Any | None:
    """Return the Numba dispatcher that a function is, None for others; without importing Numba.

    Examples
    --------
    >>> kernel(sum) is None
    True
    """
    while isinstance(function, partial):
        function = function.func
    here = getattr(type(function), "__module__", "")
    return function if here.startswith("numba.") and callable(getattr(function, "py_func", None)) else None


def task_cost(node: Any, data: Mapping[Any, Any]) -> dict[str, float] | None:
    """Return `flop`, `bytes` and `input_bytes` of a task, None where it calls no kernel that can be counted.

    Parameters
    ----------
    node : dask._task_spec.GraphNode
        The task.
    data : mapping
        Key → value of each of its dependencies.

    Notes
    -----
    Bytes are those that the kernel touches, each once: what is used again is taken to lie in a cache.

    Examples
    --------
    >>> import numpy as np
    >>> from numba import njit
    >>> @njit
    ... def triad(b, c, x):
    ...     return b + x * c
    >>> ones = np.ones(1000)
    >>> found = task_cost(Task("key", triad, TaskRef("b"), TaskRef("c"), 2.0), {"b": ones, "c": ones})
    >>> found["flop"], found["input_bytes"]
    (2000.0, 16000.0)
    """
    if not isinstance(node, Task) or (function := kernel(node.func)) is None:
        return None
    try:
        from asafess.compiler.cost import try_cost

        args = _arguments(node, data)
        found = try_cost(function, *args)
        if found is None:
            return None
        counts = found.bind(*args)
        input_bytes = sum(float(sizeof(data[key])) for key in node.dependencies)
        return {"flop": float(counts.flop), "bytes": float(counts.footprint), "input_bytes": input_bytes}
    except Exception:  # values may do anything, and a mean may be missing that only a run could tell
        return None


def _arguments(node: Task, data: Mapping[Any, Any]) -> tuple[Any, ...]:
    first: tuple[Any, ...] = ()
    function = node.func
    while isinstance(function, partial):
        if function.keywords:
            raise TypeError("a kernel is counted by its positional arguments")
        first, function = (*function.args, *first), function.func
    if node.kwargs:
        raise TypeError("a kernel is counted by its positional arguments")
    return (*first, *(_value(arg, data) for arg in node.args))


def _value(arg: Any, data: Mapping[Any, Any]) -> Any:
    if isinstance(arg, TaskRef):
        return data[arg.key]
    if isinstance(arg, Alias):
        return data[arg.target]
    return arg.value if isinstance(arg, DataNode) else arg
