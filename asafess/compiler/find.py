"""What persons have said of a task, from the strongest word to the weakest.

Function attribute (decorator), annotation, the user's table. Where nobody has said anything, the order goes on with the
compiler's rules, whose place what was measured takes where it contradicts them or there are none; else it is untyped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from asafess.compiler.resolve import PrefixTable, task_types
from asafess.core.found_type import ANNOTATION, DECORATOR, TABLE
from asafess.core.task_type import TaskType


def find(
    node: Any, annotations: Mapping[str, Any] | None, prefix: str, table: PrefixTable
) -> tuple[list[TaskType], str, str]:
    """Return the types that were declared for a task, by whom, and what is wrong with a declaration. Never raises.

    Parameters
    ----------
    node : dask._task_spec.GraphNode or None
        What the task runs.
    annotations : mapping, optional
        The task's annotations.
    prefix : str
        Prefix of its key, which the table is matched with.
    table : PrefixTable
        The user's.

    Returns
    -------
    types : list of TaskType
        None, one, or one for each part of a fused task.
    source : str
        One of `asafess.core.found_type.DECLARED`, "" without a type.
    problem : str
        Why an attribute or an annotation did not count; "" where all is well.

    Examples
    --------
    >>> from dask._task_spec import Task
    >>> table = PrefixTable({"sum*": {"intensity": 0.125}})
    >>> types, source, problem = find(Task("sum-1", sum, [1, 2]), None, "sum", table)
    >>> [one.name for one in types], source, problem
    (['sum*'], 'table', '')
    >>> find(Task("max-1", max, [1, 2]), None, "max", table)
    ([], '', '')
    """
    problem = ""
    try:
        if types := task_types(node):
            return types, DECORATOR, ""
        if annotations and (types := task_types(node, annotations)):
            return types, ANNOTATION, ""
    except Exception as error:  # a function or an annotation may do anything when it is looked at
        problem = text_of(error)
    from_table = table.find(prefix)
    return ([from_table], TABLE, problem) if from_table else ([], "", problem)


def combined(types: Iterable[TaskType]) -> TaskType:
    """Return the type of a task from those of its parts: the sum, but what is moved is moved once.

    Examples
    --------
    >>> from asafess.core.task_type import declare
    >>> combined([declare(name="a", intensity=1.0), declare(name="b", intensity=2.0)]).per_byte
    {'compute': 3.0, 'memory': 2.0}
    """
    parts = list(types)
    if len(parts) == 1:
        return parts[0]
    counts = Counter(part.name for part in parts)
    name = " + ".join(name if count == 1 else f"{count} × {name}" for name, count in counts.items())
    return TaskType(name, _sum(part.loads for part in parts), _sum(part.per_byte for part in parts))


def _sum(loads: Iterable[Mapping[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for load in loads:
        for axis, amount in load.items():
            before = total.get(axis, 0.0)
            total[axis] = max(before, amount) if axis == "communication" else before + amount
    return total


def text_of(error: Exception) -> str:
    """Return kind and message of an error, however it represents itself."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:
        return type(error).__name__
