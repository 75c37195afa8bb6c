"""Marking a function, or a block of code, with a task type.

The type rides on the function, because Dask loses annotations when it fuses tasks (dask#7036); a function's
attribute survives everything, fusion and pickling included. Calling the function is not changed in any way:
the decorator returns the very object it was given.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from asafess.core.task_type import TaskType, declare

#: the attribute that holds the type
ATTRIBUTE = "__asafess_type__"
#: the key of the Dask annotation that holds the type
ANNOTATION = "asafess"

F = TypeVar("F", bound=Callable[..., Any])


def task(
    function: None = None,
    /,
    *,
    intensity: float | None = None,
    loads: Mapping[str, float] | None = None,
    per_byte: Mapping[str, float] | None = None,
    name: str | None = None,
) -> Callable[[F], F]:
    """Mark a function with its task type.

    Parameters
    ----------
    intensity : float, optional
        Arithmetic intensity in flop per byte of input.
    loads : mapping, optional
        Load of one call by axis (`compute` in flop, `memory` in bytes touched, `communication` in logical
        bytes fetched, or an axis of one's own, see `asafess.define_axis`).
    per_byte : mapping, optional
        Load by axis for each logical byte of input.
    name : str, optional
        Name of the type in logs; the function's name by default.

    Returns
    -------
    callable
        A decorator that returns the function itself, so that nothing changes for those who call it. The
        function may be a Numba dispatcher.

    Raises
    ------
    TypeError, ValueError
        An unknown axis, a load that is no number ≥ 0, or nothing declared. See `asafess.core.task_type.declare`.

    Examples
    --------
    >>> import asafess
    >>> @asafess.task(intensity=0.25)
    ... def matvec(a, x):
    ...     return a @ x
    >>> matvec.__asafess_type__.per_byte
    {'compute': 0.25, 'memory': 1.0}
    """
    if function is not None:
        raise TypeError(
            f"write @asafess.task(intensity=…) or @asafess.task(loads={{…}}), not @asafess.task on {function!r}"
        )

    def mark(function: F) -> F:
        if not callable(function):
            raise TypeError(f"asafess.task marks a function, not {function!r}")
        # an attribute of a Numba dispatcher is lost when it is pickled, one of the Python function is not
        target = getattr(function, "py_func", function)
        label = name or str(getattr(target, "__name__", type(target).__name__))
        declared = declare(name=label, intensity=intensity, loads=loads, per_byte=per_byte)
        try:
            setattr(target, ATTRIBUTE, declared)
        except AttributeError:
            raise TypeError(
                f"{function!r} takes no attributes; wrap it in a function, or use asafess.task_type(...)"
            ) from None
        return function

    # what is wrong with the declaration should be said where it is written, not where it is applied
    declare(name=name or "task", intensity=intensity, loads=loads, per_byte=per_byte)
    return mark


@contextmanager
def task_type(
    *,
    intensity: float | None = None,
    loads: Mapping[str, float] | None = None,
    per_byte: Mapping[str, float] | None = None,
    name: str = "annotated",
) -> Iterator[TaskType]:
    """Give a task type to tasks whose code one can't decorate.

    It applies to `Client.submit`, `Client.map` and `dask.delayed` inside the block, and to the whole of a
    `compute` or `persist` called inside it. A ``dask.array`` or dataframe *built* inside is not typed: Dask
    drops annotations when it optimizes collections. A warning says so.

    Parameters
    ----------
    intensity, loads, per_byte, name
        As for `task`.

    Examples
    --------
    >>> import asafess, dask
    >>> with asafess.task_type(intensity=10.0):
    ...     total = dask.delayed(sum)([1, 2, 3])
    >>> total.compute(scheduler="sync")
    6
    """
    import dask

    declared = declare(name=name, intensity=intensity, loads=loads, per_byte=per_byte)
    with _warn_of_collections(), dask.annotate(**{ANNOTATION: declared.to_dict()}):
        yield declared


@contextmanager
def _warn_of_collections() -> Iterator[None]:
    """Warn when a dask.array or dataframe that was built inside the block outlives it."""
    import dask

    arrays: list[weakref.ref[Any]] = []
    before = _living_expressions()
    plugins = [*dask.config.get("array_plugins", ()), lambda array: arrays.append(weakref.ref(array))]
    with dask.config.set(array_plugins=plugins):
        yield
    # what was computed inside the block in one breath is gone by now, and was typed
    living = [array for array in (reference() for reference in arrays) if array is not None]
    if living or _living_expressions() - before:
        warnings.warn(
            "asafess.task_type does not type a dask.array or dataframe that is built inside it: Dask drops "
            "annotations when it optimizes collections. Decorate the function with asafess.task, name the task "
            "prefix in the configuration (asafess.types), or call compute() inside the block.",
            stacklevel=5,
        )


def _living_expressions() -> set[str]:
    """Return the names of the array and dataframe expressions that exist now."""
    from dask._expr import SingletonExpr

    names: set[str] = set()
    classes: list[type] = [SingletonExpr]
    while classes:
        cls = classes.pop()
        classes += cls.__subclasses__()
        if cls.__module__.startswith(("dask.array", "dask.dataframe")):
            names.update(vars(cls).get("_instances", ()))
    return names
