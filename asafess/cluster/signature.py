"""What is the same about the tasks of two groups: the names of the functions that they call.

An iterative program makes new groups each time round. Their names differ, their functions do not.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

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


def _name(function: Any) -> str:
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None)
    if not isinstance(name, str):
        function, name = type(function), type(function).__qualname__
    if "<" in name:  # lambdas and local functions share names; their lines differ
        line = getattr(getattr(function, "__code__", None), "co_firstlineno", 0)
        name = f"{name}:{line}"
    # names of functions may be any text, and not every text can be packed into a message
    return f"{getattr(function, '__module__', None)}.{name}".encode("utf-8", "replace").decode()
