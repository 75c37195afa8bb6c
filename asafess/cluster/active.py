"""The typed groups that have anything to do, as columns by type; groups that are done are set aside.

Programs that hand in one task at a time and keep its result have thousands of groups of which few do anything. So a
tick looks through a share of the active groups for such that are done, and at a few of those that rest, because Dask
may compute a lost result again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from asafess.cluster.group_load import GroupLoad, TypeColumn
from asafess.core.mode import Scheduled

if TYPE_CHECKING:
    from distributed.scheduler import TaskGroup

#: share of the active groups that a tick looks through, at least so many; and so many resting ones
SHARE, LEAST, RESTING = 32, 8, 8


class ActiveGroups:
    """Groups by type, of which those that are done cost nothing."""

    def __init__(self) -> None:
        self._columns: dict[str, TypeColumn] = {}
        self._active: deque[GroupLoad] = deque()
        self._resting: dict[GroupLoad, None] = {}

    def __len__(self) -> int:
        return sum(map(len, self._columns.values()))

    def __iter__(self) -> Iterator[GroupLoad]:
        """Yield the active groups."""
        for column in self._columns.values():
            yield from column

    def clear(self) -> None:
        """Forget all."""
        for store in (self._columns, self._active, self._resting):
            store.clear()

    def add(self, load: GroupLoad, name: str) -> None:
        """Take up a group of a type of this name."""
        load.column = self._columns.setdefault(name, TypeColumn(name))
        load.column.add(load)
        self._active.append(load)

    def wake(self, load: GroupLoad) -> None:
        """Take a group up again, if it rests."""
        if load.column is not None and load.place is None:
            self._resting.pop(load, None)
            self.add(load, load.column.name)

    def wake_all(self) -> None:
        """Take all groups up again."""
        for load in list(self._resting):
            self.wake(load)

    def remove(self, load: GroupLoad) -> None:
        """Leave a group out for good."""
        self._leave(load)
        self._resting.pop(load, None)
        load.column = None

    def review(self) -> None:
        """Set aside some groups that are done, and take up some that are not done after all."""
        for _ in range(min(len(self._active), max(LEAST, len(self._active) // SHARE))):
            load = self._active.popleft()
            if load.place is None:
                continue  # it was left out
            if _done(load.group):
                self._leave(load)
                self._resting[load] = None
            else:
                self._active.append(load)
        for load in list(islice(self._resting, RESTING)):
            del self._resting[load]
            if _done(load.group):
                self._resting[load] = None
            else:
                self.wake(load)

    def scheduled(self, queued: bool) -> list[Scheduled]:
        """Return the scheduled tasks of all types; with `queued`, also how many are queued."""
        found = [column.scheduled(queued) for column in self._columns.values()]
        return [one for one in found if one is not None]

    def _leave(self, load: GroupLoad) -> None:
        column = load.column
        if column is not None and load.place is not None:
            column.remove(load)
            if not column:
                del self._columns[column.name]


def _done(group: TaskGroup) -> bool:
    """Say whether none of a group's tasks is still to run."""
    states = group.states
    return not (states["processing"] or states["waiting"] or states["queued"] or states["no-worker"])
