"""What is the same about the tasks of two groups: the names of the functions that they call.

An iterative program makes new groups each time round. Their names differ, their functions do not.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from asafess.compiler.abstract.values import UNKNOWN, ArrayOf
from asafess.compiler.kernel_calls import arguments
from asafess.compiler.resolve import functions

#: different functions of one (fused) task that are looked at
MOST = 64


def signature(run_spec: Any) -> tuple[str, ...]:
    """Return the names of the functions that a task calls, sorted.

    Parameters
    ----------
    run_spec : dask._task_spec.GraphNode or None
        What the task runs, `TaskState.run_spec`.

    Examples
    --------
    >>> from dask._task_spec import Task
    >>> signature(Task("key", sum, [1, 2]))
    ('builtins.sum',)
    """
    try:
        return tuple(sorted({_name(function) for function in islice(functions(run_spec), MOST)}))
    except Exception:  # a function may do anything when it is looked at
        return ()


def told(run_spec: Any, value_of: Callable[[Any], Any], nbytes_of: Callable[[Any], float | None]) -> str:
    """Return in words with what a task calls its functions; see `asafess.compiler.kernel_calls.arguments`.

    Parameters
    ----------
    run_spec : dask._task_spec.GraphNode
        What the task runs.
    value_of : callable
        Key of a dependency → its abstract value.
    nbytes_of : callable
        Key of a dependency → its bytes, None while nobody knows them; asked where its value is not known.

    Examples
    --------
    >>> from dask._task_spec import Task, TaskRef
    >>> from asafess.compiler.abstract.values import UNKNOWN
    >>> told(Task("key", sum, TaskRef("x"), 2), lambda key: UNKNOWN, {"x": 800.0}.get)
    '800 bytes, 2'
    """

    def of(key: Any) -> Any:
        value = value_of(key)
        nbytes = nbytes_of(key) if value is UNKNOWN else None
        return value if nbytes is None else ArrayOf(None, None, nbytes)

    return arguments(run_spec, of)


def _name(function: Any) -> str:
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None)
    if not isinstance(name, str):
        function, name = type(function), type(function).__qualname__
    if "<" in name:  # lambdas and local functions share names; their lines differ
        line = getattr(getattr(function, "__code__", None), "co_firstlineno", 0)
        name = f"{name}:{line}"
    # names of functions may be any text, and not every text can be packed into a message
    return f"{getattr(function, '__module__', None)}.{name}".encode("utf-8", "replace").decode()
