"""A task group whose executions are learned from, and how much of Dask's records of it has been read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asafess.core.fit import Observation
from asafess.core.found_type import FoundType
from asafess.core.learned import predicted_seconds
from asafess.core.lesson import Lesson
from asafess.core.mode import Rates

if TYPE_CHECKING:
    from distributed.scheduler import TaskGroup


class Kind:
    """The tasks of one signature."""

    __slots__ = ("active", "lesson")

    def __init__(self) -> None:
        self.lesson = Lesson()
        #: groups that are looked at
        self.active: dict[Watched, None] = {}


class Watched:
    """A task group, and how much of its records has been read."""

    __slots__ = (
        *("active", "compute", "derived", "finished", "functions", "group", "input_bytes"),
        *("kind", "known", "nbytes", "skip_to", "transfer"),
    )

    def __init__(self, group: TaskGroup) -> None:
        self.group = group
        self.functions: frozenset[str] = frozenset()
        self.kind = Kind()
        self.derived: FoundType | None = None
        #: whether it is looked at
        self.active = False
        #: what is known of it, one of the words above; empty before it has been asked
        self.known = ""
        #: mean logical bytes of a task's inputs; None while unknown
        self.input_bytes: float | None = None
        #: when so many tasks have ended, those that began before the last switch have
        self.skip_to = 0
        self.read()

    @property
    def key(self) -> tuple[str, frozenset[str], bool]:
        """The signature: prefix, functions, and whether there is a derived type."""
        return self.group.prefix.name, self.functions, self.derived is not None

    def ended(self) -> int:
        """Return how many tasks have ended well, each as often as it was run.

        Dask counts them by the type of their result. Its counts of states would not do: a task that was cancelled
        is *released* too.
        """
        return sum(self.group._types.values())

    def read(self) -> None:
        """Take note of the records as they are now."""
        durations = self.group.all_durations
        self.finished, self.nbytes = self.ended(), self.group.nbytes_total
        self.compute, self.transfer = durations["compute"], durations["transfer"]

    def seen(self, rates: Rates | None) -> Observation | None:
        """Return what has been added to the records since they were read; None where a prediction is missing."""
        predicted = None
        if self.derived is not None:
            predicted = None if rates is None else predicted_seconds(self.derived.type, self.input_bytes, rates)
            if predicted is None:
                return None
        finished, compute, transfer, nbytes = self.finished, self.compute, self.transfer, self.nbytes
        self.read()
        tasks = self.finished - finished
        return Observation(
            tasks,
            max(self.compute - compute, 0.0),
            max(self.transfer - transfer, 0.0),
            None if self.input_bytes is None else tasks * self.input_bytes,
            max(self.nbytes - nbytes, 0),
            None if predicted is None else tasks * predicted,
        )
