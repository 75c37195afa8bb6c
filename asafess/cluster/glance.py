"""What tells a task from others of its group at a glance, so that not every task has to be looked at.

A program that hands in one task at a time makes a graph of each, and to interpret one takes longer than all else that
is done for it. What has the same function, arguments and inputs as the task that was looked at last has its type, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dask._task_spec import Alias, Task, TaskRef

from asafess.compiler.resolve import ANNOTATION

if TYPE_CHECKING:
    from distributed.scheduler import TaskState

#: share by which the bytes of inputs may differ
NEAR = 0.25
#: when a group has grown by this factor since, a task of it is looked at again: a glance sees no shapes
GROWN = 4
#: arguments that are compared; of others it is not known how long that takes, or what they do then
PLAIN = (int, float, bool, str, bytes, type(None))


@dataclass(frozen=True, slots=True)
class Glance:
    """What is seen of a task without interpreting it."""

    function: Any
    #: plain values, each with its type; a reference as its type only
    arguments: tuple[Any, ...]
    #: prefixes of the tasks that make its inputs, and the bytes of these
    inputs: frozenset[str]
    nbytes: int
    #: tasks of its group so far
    tasks: int

    def like(self, earlier: Glance | None) -> bool:
        """Say whether a task has the type of an earlier one of its group."""
        return (
            earlier is not None
            and self.function is earlier.function
            and self.tasks < GROWN * earlier.tasks
            and abs(self.nbytes - earlier.nbytes) <= NEAR * earlier.nbytes
            and self.arguments == earlier.arguments
            and self.inputs == earlier.inputs
        )


def glance(ts: TaskState) -> Glance | None:
    """Return what is seen of a task; None where a glance does not say enough.

    Parameters
    ----------
    ts : distributed.scheduler.TaskState
        A task with inputs that do not exist yet has none; nor has one with arguments that are no plain values, or with
        a type of its own in its annotations.
    """
    task = ts.run_spec
    if type(task) is not Task or (ts.annotations and ANNOTATION in ts.annotations):
        return None
    arguments: list[Any] = []
    for one in (*task.args, *task.kwargs, *task.kwargs.values()):
        if type(one) in (TaskRef, Alias):
            arguments.append(TaskRef)
        elif type(one) in PLAIN:
            arguments += type(one), one
        else:
            return None
    nbytes = 0
    for dependency in ts.dependencies:
        if dependency.nbytes < 0:
            return None
        nbytes += dependency.nbytes
    prefixes = frozenset(one.group.prefix.name for one in ts.dependencies)
    return Glance(task.func, tuple(arguments), prefixes, nbytes, len(ts.group))
