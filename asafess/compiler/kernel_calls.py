"""Which tasks call Numba kernels, and with what: found in a graph without importing Numba, so in the scheduler too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

from dask._task_spec import Alias, DataNode, Task, TaskRef, _execute_subgraph

from asafess.compiler.abstract.values import UNKNOWN, ArrayOf, FrameOf, abstracted
from asafess.compiler.rules.table import RULES, name_of

#: things in one task that are looked at: functions, constants, references
MOST = 1000
#: constants and inputs of a task that are told from others, and characters of each
MOST_TOLD, LONGEST = 24, 40


def is_kernel(function: Any) -> bool:
    """Say whether a function is one that Numba compiles for the processor, not for a GPU.

    Examples
    --------
    >>> from numba import njit
    >>> is_kernel(njit(lambda x: 2 * x)), is_kernel(sum)
    (True, False)
    """
    here = getattr(type(function), "__module__", None)
    if not isinstance(here, str) or not here.startswith("numba.") or here.startswith("numba.cuda"):
        return False
    return is_vectorized(function) or isinstance(getattr(function, "py_func", None), FunctionType)


def is_vectorized(function: Any) -> bool:
    """Say whether a function was made by `numba.vectorize` or `numba.guvectorize`.

    Examples
    --------
    >>> from numba import njit, vectorize
    >>> is_vectorized(vectorize(lambda x: 2 * x)), is_vectorized(njit(lambda x: 2 * x))
    (True, False)
    """
    return getattr(type(function), "__module__", None) in ("numba.np.ufunc.dufunc", "numba.np.ufunc.gufunc")


def calls_kernel(function: Any) -> bool:
    """Say whether a plain Python function names a kernel: a global, one of a global module, or what it closes over.

    Examples
    --------
    >>> from numba import njit
    >>> double = njit(lambda x: 2 * x)
    >>> def twice(x):
    ...     return double(double(x))
    >>> calls_kernel(twice), calls_kernel(calls_kernel)
    (True, False)
    """
    if type(function) is not FunctionType:
        return False
    names = function.__code__.co_names
    known = [function.__globals__.get(name) for name in names]
    for module in [one for one in known if type(one) is ModuleType]:
        known += [vars(module).get(name) for name in names]
    for cell in function.__closure__ or ():
        try:
            known.append(cell.cell_contents)
        except ValueError:  # not filled yet
            continue
    return any(map(is_kernel, known))


def has_kernel(node: Any) -> bool:
    """Say whether a task calls a kernel: itself, through fusion and wrappers, or in a plain function.

    Parameters
    ----------
    node : dask._task_spec.GraphNode or None
        The task.

    Examples
    --------
    >>> from numba import njit
    >>> double = njit(lambda x: 2 * x)
    >>> has_kernel(Task("key", partial(double), 1.0)), has_kernel(Task("key", sum, [1, 2]))
    (True, False)
    """
    try:
        return any(is_kernel(one) or calls_kernel(one) for one in _leaves(node))
    except Exception:  # a function may do anything when it is looked at
        return False


def has_code(node: Any) -> bool:
    """Say whether a task calls what a worker may read: a kernel, or a plain Python function that no rule knows.

    Examples
    --------
    >>> has_code(Task("key", lambda x: x + 1, 1.0)), has_code(Task("key", sum, [1, 2]))
    (True, False)
    """
    try:
        return any(is_kernel(one) or _is_plain(one) for one in _leaves(node))
    except Exception:  # a function may do anything when it is looked at
        return False


def _is_plain(function: Any) -> bool:
    if type(function) is not FunctionType:
        return False
    name = name_of(function)
    return name not in RULES and not name.startswith(("dask.", "distributed."))


def arguments(node: Any, value_of: Callable[[Any], Any]) -> str:
    """Return in words with what a task calls its functions, as far as their costs may depend on it.

    Parameters
    ----------
    node : dask._task_spec.GraphNode
        The task.
    value_of : callable
        Key of a dependency → its abstract value.

    Notes
    -----
    Arrays are told by shape and data type, integers by their value; other numbers by their type only: a number that
    changes each time round an iteration shall not make a kernel another one, and no count depends on it.

    Examples
    --------
    >>> import numpy as np
    >>> arguments(Task("key", np.full, (2, 3), 1.5), lambda key: None)
    '2, 3, float'
    >>> from dask._task_spec import TaskRef
    >>> from asafess.compiler.abstract.values import array_of
    >>> arguments(Task("key", np.sort, TaskRef("x")), {"x": array_of((8, 2), "f4")}.get)
    'float32(8, 2)'
    """
    told: list[str] = []
    try:
        for one in _leaves(node):
            if len(told) == MOST_TOLD:
                break
            if isinstance(one, TaskRef | Alias):
                key = one.key if isinstance(one, TaskRef) else one.target
                if key in node.dependencies:
                    told.append(_told(value_of(key)))
            elif not callable(one) or isinstance(one, type):
                told.append(_told(one))
    except Exception:  # a constant may do anything when it is looked at
        told.append("?")
    return ", ".join(told)


def _leaves(node: Any) -> Iterator[Any]:
    """Yield the functions, constants and references in a task, in order."""
    stack = [node]
    for _ in range(MOST):
        if not stack:
            return
        one = stack.pop()
        if isinstance(one, Task) and one.func is _execute_subgraph:
            inner: Any = one.args[0]
            stack += [*one.args[:2:-1], *list(inner.values())[::-1]]  # and not its keys
        elif isinstance(one, Task):
            stack += [*list(one.kwargs.values())[::-1], *one.args[::-1], one.func]
        elif isinstance(one, DataNode):
            stack.append(one.value)
        elif isinstance(one, partial):
            stack += [*list(one.keywords.values())[::-1], *one.args[::-1], one.func]
        elif type(one).__name__ == "Compose":  # of toolz
            stack += [*one.funcs, one.first]
        elif type(one) is dict:
            stack += list(one.values())[::-1]
        elif type(one) in (list, tuple):
            stack += one[::-1]
        else:
            yield one


def _told(value: Any) -> str:
    """Return a value in words: what is the same for two values that cost the same."""
    if type(value) in (list, tuple):
        return f"({', '.join(_told(item) for item in value[:MOST_TOLD])})"
    found = abstracted(value)
    if isinstance(found, ArrayOf):
        if found.shape == () and value is not found and found.dtype.kind in "biu":
            return repr(value.item())
        if found.shape is None:
            return "?" if found.nbytes is None else f"{found.nbytes:.0f} bytes"
        return f"{found.dtype}{found.shape}"
    if isinstance(found, FrameOf):
        return f"{found.kind} of {found.rows} rows"
    if value is UNKNOWN:
        return "?"
    if type(value) is slice:
        return f"slice({_told(value.start)}, {_told(value.stop)}, {_told(value.step)})"
    if type(value) in (bool, int, str, type(None), type):
        return repr(value)[:LONGEST].encode("utf-8", "replace").decode()
    return type(value).__qualname__.encode("utf-8", "replace").decode()
