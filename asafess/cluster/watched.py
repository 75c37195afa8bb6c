"""A task group whose executions are learned from, and how much of Dask's records of it has been read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asafess.cluster.cpu_share import CpuShare
from asafess.core.fit import Observation
from asafess.core.found_type import FoundType
from asafess.core.learned import predicted_seconds
from asafess.core.lesson import Lesson
from asafess.core.mode import Rates

if TYPE_CHECKING:
    from distributed.scheduler import TaskGroup


#: the prefix, the functions, and whether there is a derived type
Signature = tuple[str, frozenset[str], bool]


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
        *("active", "cpu", "derived", "elapsed", "finished", "functions", "group", "input_bytes"),
        *("kind", "known", "looks_after", "nbytes", "news", "skip_to", "transfer"),
    )

    def __init__(self, group: TaskGroup, cpu: CpuShare) -> None:
        self.group = group
        #: how much of their time its tasks compute
        self.cpu = cpu
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
        #: how often it was looked at since all of its tasks have ended
        self.looks_after = 0
        self.read()

    @property
    def key(self) -> Signature:
        """The signature of its tasks."""
        return self.group.prefix.name, self.functions, self.derived is not None

    def ended(self) -> int:
        """Return how many tasks have ended well, each as often as it was run.

        Dask counts them by the type of their result. Its counts of states would not do: a task that was cancelled
        is *released* too.
        """
        return sum(self.group._types.values())

    @property
    def readable(self) -> bool:
        """Whether heartbeats have told of tasks since it was read."""
        return self.cpu.news > self.news

    def read(self) -> None:
        """Take note of the records as they are now."""
        durations = self.group.all_durations
        self.finished, self.nbytes, self.news = self.ended(), self.group.nbytes_total, self.cpu.news
        self.elapsed, self.transfer = durations["compute"], durations["transfer"]

    def seen(self, rates: Rates | None) -> Observation | None:
        """Return what has been added to the records since they were read; None where a prediction is missing."""
        predicted = None
        if self.derived is not None:
            predicted = None if rates is None else predicted_seconds(self.derived.type, self.input_bytes, rates)
            if predicted is None:
                return None
        finished, elapsed, transfer, nbytes = self.finished, self.elapsed, self.transfer, self.nbytes
        self.read()
        tasks, elapsed = self.finished - finished, max(self.elapsed - elapsed, 0.0)
        return Observation(
            tasks,
            elapsed * (self.cpu.share or 0.0),
            max(self.transfer - transfer, 0.0),
            None if self.input_bytes is None else tasks * self.input_bytes,
            max(self.nbytes - nbytes, 0),
            None if predicted is None else tasks * predicted,
            elapsed,
        )
