"""What one task costs that calls Numba kernels or plain functions: counted for its real inputs, where it runs.

Reading a kernel takes a tenth of a second and more: that is for a worker's thread or a client, not for the scheduler.
The rules say what the rest of the task does, and the sum is what the scheduler is told.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from inspect import signature
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from dask._task_spec import DataNode, GraphNode
from dask.sizeof import sizeof

from asafess.compiler.abstract.parts import Inferred
from asafess.compiler.abstract.values import UNKNOWN, ArrayOf, Unknown, abstracted, array_of, root_of, sized
from asafess.compiler.core_call import core_call
from asafess.compiler.kernel_calls import calls_kernel, has_code, is_kernel, is_vectorized
from asafess.compiler.plain import FunctionInterpreter
from asafess.compiler.rules.table import RULES, name_of

#: one kernel is read at a time: the tasks that wait for the interpreter lock meanwhile are the user's
_reading = threading.Lock()
#: Python function of a kernel → types of its arguments → its cost, or why it can't be counted
_read: WeakKeyDictionary[Any, dict[Any, Any]] = WeakKeyDictionary()
#: numbers leave a kernel as Python's, whatever their precision was
_PYTHON = {"b": bool, "i": int, "u": int, "f": float, "c": complex}
#: values that can be looked at without anybody noticing
_HARMLESS = (
    *(bool, int, float, complex, str, bytes, tuple, list, dict, set, frozenset, range, slice, type(None)),
    *(type(Ellipsis), ModuleType),
)
#: packages whose values have no surprises
_KNOWN = ("asafess", "dask", "numpy", "pandas", "scipy")
#: different types of arguments for which the cost of one kernel is kept
MOST_KEPT = 64


@dataclass(frozen=True, slots=True)
class Held(ArrayOf):
    """An array that is here, with its contents; what rules make of it is an `ArrayOf` without."""

    data: Any = None


def task_cost(node: Any, data: Mapping[Any, Any]) -> dict[str, float] | None:
    """Return `flop`, `loops`, `bytes` and `input_bytes` of a task, None where it can't be counted.

    Parameters
    ----------
    node : dask._task_spec.GraphNode
        The task; a fused one is the sum of its parts.
    data : mapping
        Key → value of each of its dependencies.

    Notes
    -----
    Bytes are those that an operation touches, each once: what is used again is taken to lie in a cache.

    Examples
    --------
    >>> import numpy as np
    >>> from dask._task_spec import Task, TaskRef
    >>> from numba import njit
    >>> @njit
    ... def triad(b, c, x):
    ...     return b + x * c
    >>> ones = np.ones(1000)
    >>> found = task_cost(Task("key", triad, TaskRef("b"), TaskRef("c"), 2.0), {"b": ones, "c": ones})
    >>> found["flop"], found["input_bytes"]
    (2000.0, 16000.0)
    """
    try:
        if not has_code(node):
            return None
        found = infer_kernels(node, lambda key: held(data[key]))
        if not found.known:
            return None
        input_bytes = sum(float(sizeof(data[key])) for key in node.dependencies)
        return {"flop": found.flop, "loops": found.loops, "bytes": found.nbytes, "input_bytes": input_bytes}
    except Exception:  # values may do anything
        return None


def infer_kernels(node: Any, value_of: Callable[[Any], Any]) -> Inferred:
    """Do as `asafess.compiler.infer.infer` does, and read the Numba kernels that a task calls. Never raises.

    Parameters
    ----------
    node : dask._task_spec.GraphNode
        The task.
    value_of : callable
        Key of a dependency → its abstract value. Of what is `held`, the contents tell the means of what depends on
        them; where they are not known (in the midst of a fused task, say), a kernel that needs them is not known.

    Examples
    --------
    >>> from dask._task_spec import Task, TaskRef
    >>> from numba import njit
    >>> @njit
    ... def pairs(x):
    ...     return x[1:] - x[:-1]
    >>> found = infer_kernels(Task("key", pairs, TaskRef("x")), {"x": array_of((101,), "f4")}.get)
    >>> found.flop, found.value.shape, found.why
    (100.0, (100,), 'kernel pairs')
    """
    on = _Reader(value_of)
    try:
        value = on.node(node)
    except Exception as error:
        value = on.unknown(type(node).__name__, f"{type(error).__name__}: {error}"[:200])
    return Inferred(value, tuple(on.parts))


def held(value: Any) -> Any:
    """Return what stands for a value that is here, with its contents if it is an array.

    Examples
    --------
    >>> import numpy as np
    >>> held(np.ones(3)).shape
    (3,)
    """
    found = abstracted(value)
    if found is value and type(value) not in _HARMLESS and not callable(value) and root_of(value) not in _KNOWN:
        return UNKNOWN  # to look at it may be the user's code, and change it
    if type(found) is not ArrayOf or found is value:
        return found
    return Held(**{each.name: getattr(found, each.name) for each in fields(ArrayOf)}, data=value)


class _Reader(FunctionInterpreter):
    """Interprets a task, and takes what its kernels cost from their typed intermediate representation."""

    def node(self, node: Any) -> Any:
        """Return the abstract value of a node or of an argument of one; of constants, with their contents."""
        if isinstance(node, DataNode):
            return held(node.value)
        return super().node(node) if isinstance(node, GraphNode) or hasattr(node, "key") else held(node)

    def _call(self, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        if is_vectorized(function):
            return self._vectorized(function, args, kwargs)
        if is_kernel(function):
            return self._kernel(function, args, kwargs)
        if name_of(function) in RULES or not calls_kernel(function):
            return super()._call(function, args, kwargs)
        before = len(self.parts)
        try:
            value = super()._call(function, args, kwargs)
        except Unknown:
            value = UNKNOWN
        if value is UNKNOWN or not all(part.known for part in self.parts[before:]):
            del self.parts[before:]  # there is no source, or it loops over data: maybe Numba can read it
            return self._kernel(function, args, kwargs)
        return value

    def _vectorized(self, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Count what `numba.vectorize` or `guvectorize` has made: its core, as often as it is called."""
        if kwargs:
            raise Unknown(f"arguments {', '.join(kwargs)} of a vectorized function")
        one = core_call(function, args)
        cost, counts = _counted(one.function, one.args)
        made = one.made or tuple(array_of(one.loop, scalar.dtype) for scalar in [cost.result(*one.args)])
        nbytes = one.read + sum(array.known_nbytes for array in made)
        name = name_of(function)
        loops = one.times * counts.loops
        why = f"kernel {name.split('.')[-1]}"
        self.part(name, "kernel", one.times * counts.flop, nbytes, why=why, loops=loops)
        return made[0] if len(made) == 1 else made

    def _kernel(self, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Count a kernel, or a plain function that calls some, which is read as a kernel itself would be."""
        python = getattr(function, "py_func", function)
        if kwargs:
            bound = signature(python).bind(*args, **kwargs)
            bound.apply_defaults()
            if bound.kwargs:
                raise Unknown("arguments that can only be given by name")
            args = bound.args
        given = tuple(map(_argument, args))
        cost, counts = _counted(python, given)
        what = "kernel" if is_kernel(function) else "function with kernels"
        name = name_of(function)
        why = f"{what} {name.split('.')[-1]}"
        self.part(name, "kernel", counts.flop, counts.traffic, why=why, loops=counts.loops)
        return _value(cost.result(*given))


def _argument(value: Any) -> Any:
    """Return what a kernel is read for: a value that is here, or what stands for an array."""
    if isinstance(value, Held):
        return value.data
    if isinstance(value, tuple | list):
        return type(value)(map(_argument, value))
    if value is UNKNOWN or (isinstance(value, ArrayOf) and (value.shape is None or value.dtype is None)):
        raise Unknown("shape or data type of an argument is not known")
    return value


def _counted(python: Any, given: tuple[Any, ...]) -> tuple[Any, Any]:
    """Return the cost of a kernel, and its counts; raises `Unknown`."""
    try:
        cost = _cost(python, given)
        return cost, cost.bind(*given)
    except ValueError as error:  # it can't be counted, or not without the contents of what is not here yet
        raise Unknown(str(error)) from None


def _cost(python: Any, given: tuple[Any, ...]) -> Any:
    """Return the cost of a kernel for such arguments; it is read once.

    Raises
    ------
    NotCountedError
        When it can't be counted.
    """
    from asafess.compiler.cost import NotCountedError, argument_types, cost

    kinds = argument_types(python, given) if given else ()
    with _reading:
        costs = _read.setdefault(python, {})
        if kinds not in costs:
            if len(costs) >= MOST_KEPT:
                costs.clear()
            try:
                costs[kinds] = cost(python, *kinds)
            except NotCountedError as error:
                costs[kinds] = str(error)  # the error itself would keep the kernel alive
        found = costs[kinds]
    if isinstance(found, str):
        raise NotCountedError(found)
    return found


def _value(found: Any) -> Any:
    """Return the abstract value of what a kernel returns."""
    if isinstance(found, tuple):
        return tuple(map(_value, found))
    if found is None:
        return UNKNOWN
    if found.dims == ():
        return array_of((), _PYTHON[found.dtype.kind])
    return sized(None, found.dtype) if found.dims is None else array_of(found.dims, found.dtype)
