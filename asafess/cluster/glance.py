"""What tells a task from others of its group at a glance, so that not every task has to be looked at.

A program that hands in one task at a time makes a graph of each, and to interpret one takes longer than all else that
is done for it. What has the same function as the task that was looked at last, and about the same arguments and inputs,
has its type, too.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np
from dask._task_spec import Alias, Task, TaskRef

from asafess.compiler.decorator import ANNOTATION
from asafess.compiler.rules.table import RULES, is_ufunc, name_of

if TYPE_CHECKING:
    from distributed.scheduler import TaskState

#: one so many-th is the share by which numbers may differ, which may be sizes, and the bytes of inputs
NEAR = 4
#: numbers below are as likely exponents, bases or depths, of which each is another one
SMALL = 64
#: when a group has grown by this factor since, a task of it is looked at again: a glance sees no shapes
GROWN = 4
#: arguments that are the same only if they are equal; of texts such as are no longer than this
EQUAL, LONGEST = (bool, str, bytes, type(None)), 1000
NUMBERS = (int, float, complex)
#: those whose value says nothing of what a task loads
ALIKE = (TaskRef, Alias)


@dataclass(frozen=True, slots=True)
class Glance:
    """What is seen of a task without interpreting it."""

    #: see `function_of`
    function: Any
    #: type of each argument, and the value of those that have to be equal
    arguments: tuple[Any, ...]
    #: numbers among the arguments
    numbers: tuple[Any, ...]
    #: bytes of the inputs
    nbytes: int
    #: prefixes of the tasks that make the inputs
    inputs: frozenset[str]
    #: tasks of the group so far
    tasks: int

    def like(self, earlier: Glance | None) -> bool:
        """Say whether a task has the type of an earlier one of its group."""
        return (
            earlier is not None
            and _same(self.function, earlier.function)
            and self.tasks < GROWN * earlier.tasks
            and self.arguments == earlier.arguments
            and self.inputs == earlier.inputs
            and near(self.nbytes, earlier.nbytes)
            and all(map(_alike, self.numbers, earlier.numbers))
        )


def glance(ts: TaskState) -> Glance | None:
    """Return what is seen of a task; None where a glance does not say enough.

    Parameters
    ----------
    ts : distributed.scheduler.TaskState
        Of one with inputs of which nobody knows the size it does not; nor of one with arguments that are no plain
        values, with a function that carries data, or with a type of its own in its annotations.
    """
    task = ts.run_spec
    if type(task) is not Task or (ts.annotations and ANNOTATION in ts.annotations):
        return None
    try:
        function = function_of(task.func)
        # nobody computes a load from the fractions that a function without a rule is given
        ruled = is_ufunc(task.func) or name_of(task.func) in RULES
    except Exception:  # what can be called may do anything when it is asked for its name
        return None
    if function is None:
        return None
    arguments: list[Any] = [len(task.args), *task.kwargs]
    numbers = []
    for one in (*task.args, *task.kwargs.values()):
        kind = type(one)
        arguments.append(kind)
        if kind in NUMBERS:
            if ruled or kind is int:
                numbers.append(one)
        elif kind in EQUAL:
            if kind in (str, bytes) and len(one) > LONGEST:
                return None
            arguments.append(one)
        elif kind not in ALIKE:
            return None
    nbytes = 0
    for dependency in ts.dependencies:
        if dependency.nbytes < 0:
            return None
        nbytes += dependency.nbytes
    prefixes = frozenset(one.group.prefix.name for one in ts.dependencies)
    return Glance(function, tuple(arguments), tuple(numbers), nbytes, prefixes, len(ts.group))


def function_of(function: Any) -> Any:
    """Return what tells a function from others and keeps no data alive; None where there is no such thing.

    Of a function of a script each graph brings a new copy, so it is told by its code.

    Examples
    --------
    >>> function_of(len) is len, function_of([].append) is None
    (True, True)
    >>> function_of(eval("lambda x: x + 1")) == function_of(eval("lambda x: x + 1"))
    True
    """
    if isinstance(function, np.ufunc):
        return function
    if type(function) is FunctionType and not (function.__closure__ or function.__dict__ or function.__kwdefaults__):
        defaults = function.__defaults__ or ()
        if all(type(one) in NUMBERS or one is None for one in defaults):
            return function.__code__, *defaults
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    there = vars(module).get(getattr(function, "__name__", "")) if module is not None else None
    return function if there is function else None


def near(new: int, old: int) -> bool:
    """Say whether a size is about the same.

    >>> near(125, 100), near(126, 100), near(0, 0), near(2**2000, 2**2000 + 1)
    (True, False, True, True)
    """
    return NEAR * abs(new - old) <= abs(old)


def _alike(new: Any, old: Any) -> bool:
    return bool(new == old or (min(abs(new), abs(old)) >= SMALL and near(new, old)))


def _same(one: Any, other: Any) -> bool:
    return one is other or (type(one) is tuple and one == other)
