"""The order in which a task's type is looked for, from the strongest word to the weakest.

Function attribute (decorator), annotation, the user's table, compiler rule, measured; else untyped, with the reason.
What was measured takes the place of the compiler's rule where it contradicts it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from asafess.compiler.resolve import PrefixTable, task_types
from asafess.core.found_type import FoundType
from asafess.core.task_type import TaskType

#: what the compiler's rules say of a task: a type, or None and why not
Derive = Callable[[], tuple[FoundType | None, str]]


def find(
    node: Any,
    annotations: Mapping[str, Any] | None,
    prefix: str,
    table: PrefixTable,
    derive: Derive | None = None,
    learned: FoundType | None = None,
) -> tuple[FoundType | None, str]:
    """Return the type of a task and why it is that one; None and the reason when it has none. Never raises.

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
    derive : callable, optional
        Asked for what the compiler's rules say, only where nothing is declared.
    learned : FoundType, optional
        What was measured of earlier tasks of its group, where it says more than the compiler's rules do: there are
        none for it, or it contradicts them.

    Examples
    --------
    >>> from dask._task_spec import Task
    >>> table = PrefixTable({"sum*": {"intensity": 0.125}})
    >>> find(Task("sum-1", sum, [1, 2]), None, "sum", table)[0].source
    'table'
    >>> find(Task("max-1", max, [1, 2]), None, "max", table)
    (None, 'nothing is declared for it')
    """
    reasons = []
    try:
        by_function = task_types(node)
        if by_function:
            names = dict.fromkeys(f"asafess.task on {type_.name}" for type_ in by_function)
            return FoundType(combined(by_function), "decorator", 1.0, ", ".join(names)), ""
        by_annotation = task_types(node, annotations)
        if by_annotation:
            return FoundType(combined(by_annotation), "annotation", 1.0, "asafess.task_type around it"), ""
    except Exception as error:  # a function or an annotation may do anything when it is looked at
        reasons.append(text_of(error))
    from_table = table.find(prefix)
    if from_table is not None:
        return FoundType(from_table, "table", 1.0, f"asafess.types[{from_table.name!r}] in the configuration"), ""
    if learned is not None:
        return learned, ""
    if derive is not None:
        try:
            derived, why = derive()
        except Exception as error:
            derived, why = None, text_of(error)
        if derived is not None:
            return derived, ""
        reasons.append(why)
    return None, "; ".join(reasons) or "nothing is declared for it"


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
