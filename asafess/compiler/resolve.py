"""Finding the task type of a Dask task.

In this order: the function's attribute, the task's annotation, the user's table of prefixes, else untyped.
Fused tasks are walked: the type of a fused task is the sum of its parts. Runs in the scheduler, once for a
few tasks of each task group; it imports neither Numba nor anything of ours above `core`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from dask._task_spec import DataNode, Task, TaskRef, _execute_subgraph

from asafess.compiler.decorator import ANNOTATION, ATTRIBUTE
from asafess.core.task_type import TaskType, declare, from_dict

#: how far wrappers and fused tasks are followed: they nest two or three deep, and a cycle must not hang us
DEPTH = 8


class BadTypeError(ValueError):
    """A task carries a type that is none; its computation goes on, untyped."""


def task_types(run_spec: Any, annotations: Mapping[str, Any] | None = None) -> list[TaskType]:
    """Return the types of a task: none, one, or one for each typed part of a fused task.

    Parameters
    ----------
    run_spec : dask._task_spec.GraphNode or None
        What the task runs, `TaskState.run_spec`.
    annotations : mapping, optional
        `TaskState.annotations`.

    Raises
    ------
    BadTypeError
        When the function or the annotation holds something that is no task type.

    Examples
    --------
    >>> import asafess
    >>> @asafess.task(intensity=2.0)
    ... def f(x):
    ...     return x
    >>> [found.name for found in task_types(Task("key", f, 1))]
    ['f']
    >>> task_types(Task("key", sum, [1, 2]))
    []
    """
    found = [type_ for function in functions(run_spec) if (type_ := declared(function)) is not None]
    if not found and annotations and ANNOTATION in annotations:
        try:
            found = [from_dict(annotations[ANNOTATION])]
        except Exception as error:  # it may be anything, and do anything when it is looked at
            raise BadTypeError(f"annotation {ANNOTATION!r} is no task type ({type(error).__name__})") from error
    return found


def declared(function: Any) -> TaskType | None:
    """Return the type that was put on a function, or None.

    Raises
    ------
    BadTypeError
        When the attribute holds no `TaskType`.
    """
    type_ = getattr(function, ATTRIBUTE, None)
    if type_ is None:
        # a Numba dispatcher, looked at without importing Numba
        type_ = getattr(getattr(function, "py_func", None), ATTRIBUTE, None)
    if type_ is None:
        return None
    if type(type_) is not TaskType:
        raise BadTypeError(f"{ATTRIBUTE} must be set by asafess.task, not to a {type(type_).__name__}")
    try:
        return from_dict(type_.to_dict())  # whoever made it by hand may have put anything into it
    except Exception as error:
        raise BadTypeError(f"{ATTRIBUTE}: {type(error).__name__}") from error


def functions(node: Any, inputs: Mapping[Any, Any] | None = None, depth: int = DEPTH) -> Iterator[Any]:
    """Yield the functions that a task calls: through fusion, partials and Dask's own wrappers.

    Parameters
    ----------
    node : dask._task_spec.GraphNode or None
        The task.
    inputs : mapping, optional
        Of a part of a fused task: key → what the fused task hands to it.
    depth : int
        How far to follow.
    """
    if not isinstance(node, Task) or depth == 0:
        return
    if node.func is _execute_subgraph:
        parts, _, keys, *values = node.args
        handed = dict(zip(keys, values, strict=False))
        for part in parts.values():
            yield from functions(part, handed, depth - 1)
        return
    # where a wrapper takes the function as an argument, fusion has put a reference in its place
    args = tuple(_value(arg, inputs or {}) for arg in node.args)
    yield from _unwrapped(node.func, args, node.kwargs or {}, depth)


def _value(arg: Any, inputs: Mapping[Any, Any]) -> Any:
    if isinstance(arg, TaskRef):
        arg = inputs.get(arg.key)
    return arg.value if isinstance(arg, DataNode) else arg


def _unwrapped(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], depth: int) -> Iterator[Any]:
    if depth == 0:
        return
    wrapped: list[Any] = []
    if getattr(function, ATTRIBUTE, None) is None:
        if isinstance(function, partial):
            args, kwargs = (*function.args, *args), {**function.keywords, **kwargs}
            wrapped = [function.func]
        elif hasattr(function, "first") and hasattr(function, "funcs"):  # toolz.Compose
            wrapped = [function.first, *function.funcs]
        # Dask's wrappers take the user's function as an argument
        name = getattr(wrapped[0] if wrapped else function, "__name__", "")
        if name == "_pass_extra_kwargs" and args:
            wrapped = [args[0]]
        elif name == "_enforce_dtype" and "enforce_dtype_function" in kwargs:
            wrapped = [kwargs["enforce_dtype_function"]]
        elif name == "apply_and_enforce" and "_func" in kwargs:
            wrapped = [kwargs["_func"]]
    if not wrapped:
        yield function
    for inner in wrapped:
        yield from _unwrapped(inner, args[1:], kwargs, depth - 1)


class PrefixTable:
    """The user's table of task types by prefix (`asafess.types` in the configuration).

    Parameters
    ----------
    table : mapping
        Glob pattern of a task prefix → what `asafess.task` takes, e.g.
        ``{"rechunk-*": {"per_byte": {"memory": 2}}}``. The first that matches is used.

    Raises
    ------
    ValueError, TypeError
        When an entry declares no type.

    Examples
    --------
    >>> PrefixTable({"sum*": {"intensity": 0.125}}).find("sum-aggregate").name
    'sum*'
    """

    def __init__(self, table: Mapping[str, Mapping[str, Any]]) -> None:
        self._types = []
        for pattern, entry in table.items():
            try:
                self._types.append((pattern, _from_entry(pattern, entry)))
            except (TypeError, ValueError) as error:
                raise type(error)(f"asafess.types[{pattern!r}]: {error}") from error

    def find(self, prefix: str) -> TaskType | None:
        """Return the type of the first pattern that matches, or None."""
        return next((type_ for pattern, type_ in self._types if fnmatchcase(prefix, pattern)), None)


def _from_entry(pattern: str, entry: Mapping[str, Any]) -> TaskType:
    if not isinstance(entry, Mapping):
        raise TypeError(f"must be a mapping with intensity, loads or per_byte, not {entry!r}")
    unknown = set(entry) - {"intensity", "loads", "per_byte"}
    if unknown:
        raise ValueError(f"unknown entries {sorted(map(str, unknown))}; allowed: intensity, loads, per_byte")
    return declare(name=pattern, **entry)
