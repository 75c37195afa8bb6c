"""What one task of a group loads, and the groups of one task type as columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter, mul
from typing import TYPE_CHECKING, Any

from asafess.core.found_type import FoundType
from asafess.core.mode import Scheduled
from asafess.core.task_type import TaskType

if TYPE_CHECKING:
    from distributed.scheduler import TaskGroup

    from asafess.cluster.glance import Glance


_PROCESSING = itemgetter("processing")


class GroupLoad:
    """What one task of a group loads on average."""

    __slots__ = (
        *("column", "found", "group", "input_bytes", "kernel", "load", "looked_at"),
        *("missing_bytes", "place", "seen", "share", "types"),
    )

    def __init__(self, group: TaskGroup, column: TypeColumn | None = None) -> None:
        self.group = group
        #: None while the group has no type: then it counts for nothing
        self.column = column
        #: the (first) type of its tasks and where that came from
        self.found: FoundType | None = None
        #: signature of its tasks while a worker is to count the kernel that they call
        self.kernel: tuple[str, ...] | None = None
        #: logical bytes of a task's inputs, and of those that are missing where it runs; None while unknown
        self.input_bytes: float | None = None
        self.missing_bytes = 0.0
        #: in the column; None outside of it
        self.place: int | None = None
        #: load of one task by axis, averaged over the group; empty while unknown
        self.load: dict[str, float] = {}
        #: types of the tasks that were looked at, each with how many of them have it, and the number of those tasks
        self.types: list[tuple[TaskType, int]] = []
        self.looked_at = 1
        #: share of the group's tasks that has a type
        self.share = 0.0
        #: what was seen of the task that was looked at last, where it was the only one of the group in its graph
        self.seen: Glance | None = None


class TypeColumn:
    """The groups of one task type, as columns, so that a tick adds them up without a Python step per axis."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._groups: list[GroupLoad] = []
        #: Dask's counts of each group's tasks by state
        self._states: list[Mapping[Any, int]] = []
        #: axis → load of one task of each group
        self._axes: dict[str, list[float]] = {}

    def __len__(self) -> int:
        return len(self._groups)

    def __iter__(self) -> Iterator[GroupLoad]:
        return iter(self._groups)

    def add(self, load: GroupLoad) -> None:
        """Take a group up."""
        load.place = len(self._groups)
        self._groups.append(load)
        self._states.append(load.group.states)
        for amounts in self._axes.values():
            amounts.append(0.0)
        self.changed(load)

    def remove(self, load: GroupLoad) -> None:
        """Leave a group out from now on; the last one takes its place."""
        assert load.place is not None
        self._groups[-1].place, place, load.place = load.place, load.place, None
        columns: list[list[Any]] = [self._groups, self._states, *self._axes.values()]
        for column in columns:
            column[place] = column[-1]
            column.pop()

    def changed(self, load: GroupLoad) -> None:
        """Take note of a group's new load."""
        assert load.place is not None
        for axis in load.load.keys() - self._axes.keys():
            self._axes[axis] = [0.0] * len(self._groups)
        for axis, amounts in self._axes.items():
            amounts[load.place] = load.load.get(axis, 0.0)

    def scheduled(self, queued: bool) -> Scheduled | None:
        """Add up the groups' scheduled tasks; None when there are none."""
        counts = list(map(_PROCESSING, self._states))
        count = sum(counts)
        if not count:
            return None
        total = {axis: sum(map(mul, counts, amounts)) if any(amounts) else 0.0 for axis, amounts in self._axes.items()}
        waiting = sum(states["queued"] for states in self._states) if queued else 0
        return Scheduled(self.name, count, total, waiting)


def counted(types: Iterable[TaskType]) -> list[tuple[TaskType, int]]:
    """Return different types with their numbers: mostly one, so that a load is computed once and not eight times."""
    found: list[tuple[TaskType, int]] = []
    for type_ in types:
        for k, (same, count) in enumerate(found):
            if type_ == same:
                found[k] = same, count + 1
                break
        else:
            found.append((type_, 1))
    return found


def mean_load(load: GroupLoad, input_bytes: float, missing_bytes: float) -> dict[str, float]:
    """Return the average load of a group's tasks: the sum over a fused task's types, the mean over tasks."""
    total: dict[str, float] = {}
    moved = 0.0
    for type_, count in load.types:
        for axis, amount in type_.load(input_bytes, missing_bytes).items():
            if axis == "communication":
                moved = max(moved, amount)  # the parts of a fused task share one input: it is moved once
            else:
                total[axis] = total.get(axis, 0.0) + count * amount
    mean = {axis: amount / load.looked_at for axis, amount in total.items()}
    mean["communication"] = moved * load.share
    return mean
