"""Task types of tasks that nobody has annotated: a node of a graph → what it does → its type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asafess.compiler.abstract.parts import Inferred
from asafess.compiler.interpret import Interpreter
from asafess.core.found_type import FoundType
from asafess.core.task_type import LARGEST, TaskType


def infer(node: Any, value_of: Callable[[Any], Any]) -> Inferred:
    """Interpret a node of a Dask graph over abstract values. Never raises.

    Parameters
    ----------
    node : dask._task_spec.GraphNode
        The task; fused tasks are interpreted part by part.
    value_of : callable
        Key of a dependency → its abstract value; `UNKNOWN` where nothing is known.

    Returns
    -------
    Inferred
        The abstract result, and the operations in order. An operation without a rule is a part that is not
        known, and says why.

    Examples
    --------
    >>> import operator
    >>> from dask._task_spec import Task, TaskRef
    >>> from asafess.compiler.abstract.values import array_of
    >>> a = array_of((100, 50), "f8")
    >>> values = {"a": a, "b": array_of((50, 20), "f8")}
    >>> found = infer(Task("y", operator.matmul, TaskRef("a"), TaskRef("b")), values.get)
    >>> found.value.shape, found.flop, found.nbytes
    ((100, 20), 200000.0, 64000.0)
    >>> infer(Task("z", print, TaskRef("a")), {"a": a}.get).why
    'builtins.print: no rule for builtins.print'
    """
    on = Interpreter(value_of)
    try:
        value = on.node(node)
    except Exception as error:  # a value may do anything when it is looked at
        value = on.unknown(type(node).__name__, f"{type(error).__name__}: {error}"[:200])
    return Inferred(value, tuple(on.parts))


def found_type(inferred: Inferred, name: str, confidence: float = 1.0) -> FoundType | None:
    """Return the task type that follows from what a task does, None where a part is not known.

    Parameters
    ----------
    inferred : Inferred
        Of `infer`.
    name : str
        Of the type; tasks of equal names are counted together.
    confidence : float
        How sure the inputs of the task are.

    Returns
    -------
    FoundType or None
        Loads *compute* in flop, *loops* in those outside of linear algebra, and *memory* in bytes touched, of one
        task. A task that only hands a value on loads nothing. The load on *communication* is left to the scheduler,
        which knows the missing bytes, except where its records don't show what moves.

    Examples
    --------
    >>> from asafess.compiler.abstract.parts import Part
    >>> found_type(Inferred(None, (Part("numpy.sum", "reduction", 10, 88),)), "sum").type.loads
    {'compute': 10.0, 'memory': 88.0, 'loops': 10.0}
    """
    loads = {"compute": 0.0, "memory": 0.0}
    loops = communication = 0.0
    for part in inferred.parts:
        if not part.known:
            return None
        loads["compute"] += part.flop
        loads["memory"] += part.nbytes
        loops += part.in_loops
        communication += part.communication
        confidence = min(confidence, part.confidence)
    if loops:
        loads["loops"] = loops
    if communication:
        loads["communication"] = communication
    if not all(0 <= load <= LARGEST for load in loads.values()):
        return None
    return FoundType(TaskType(name, loads), "compiler", confidence, inferred.why)
