"""What tells a task from others of its group at a glance, so that not every task has to be looked at.

A program that hands in one task at a time makes a graph of each, and to interpret one takes longer than all else that
is done for it. What has the same function as the task that was looked at last, and about the same arguments and inputs,
has its type, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dask._task_spec import Alias, Task, TaskRef

from asafess.compiler.decorator import ANNOTATION

if TYPE_CHECKING:
    from distributed.scheduler import TaskState

#: share by which integers may differ, which may be sizes, and the bytes of inputs
NEAR = 0.25
#: when a group has grown by this factor since, a task of it is looked at again: a glance sees no shapes
GROWN = 4
#: arguments that are the same only if they are equal
EQUAL = (bool, str, bytes, type(None))
#: those whose value says nothing of what a task loads
ALIKE = (TaskRef, Alias, float, complex)


@dataclass(frozen=True, slots=True)
class Glance:
    """What is seen of a task without interpreting it."""

    function: Any
    #: type of each argument, and the value of those that have to be equal
    arguments: tuple[Any, ...]
    #: integers among the arguments, and the bytes of the inputs
    sizes: tuple[int, ...]
    #: prefixes of the tasks that make the inputs
    inputs: frozenset[str]
    #: tasks of the group so far
    tasks: int

    def like(self, earlier: Glance | None) -> bool:
        """Say whether a task has the type of an earlier one of its group."""
        return (
            earlier is not None
            and self.function is earlier.function
            and self.tasks < GROWN * earlier.tasks
            and self.arguments == earlier.arguments
            and self.inputs == earlier.inputs
            and all(abs(new - old) <= NEAR * abs(old) for new, old in zip(self.sizes, earlier.sizes, strict=True))
        )


def glance(ts: TaskState) -> Glance | None:
    """Return what is seen of a task; None where a glance does not say enough.

    Parameters
    ----------
    ts : distributed.scheduler.TaskState
        Of a task with inputs that do not exist yet it does not; nor of one with arguments that are no plain values, or
        with a type of its own in its annotations.
    """
    task = ts.run_spec
    if type(task) is not Task or (ts.annotations and ANNOTATION in ts.annotations):
        return None
    arguments: list[Any] = [len(task.args), *task.kwargs]
    sizes = []
    for one in (*task.args, *task.kwargs.values()):
        kind = type(one)
        arguments.append(kind)
        if kind is int:
            sizes.append(one)
        elif kind in EQUAL:
            arguments.append(one)
        elif kind not in ALIKE:
            return None
    nbytes = 0
    for dependency in ts.dependencies:
        if dependency.nbytes < 0:
            return None
        nbytes += dependency.nbytes
    prefixes = frozenset(one.group.prefix.name for one in ts.dependencies)
    return Glance(task.func, tuple(arguments), (*sizes, nbytes), prefixes, len(ts.group))
