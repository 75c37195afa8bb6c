"""Where the type of a task group comes from: a person, the compiler's rules, a counted kernel, or measurement."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asafess.cluster.kernel_costs import KernelCosts
from asafess.cluster.learning import Learning
from asafess.cluster.signature import signature
from asafess.compiler.inference import TypeInference
from asafess.compiler.resolve import PrefixTable, task_types
from asafess.compiler.task_cost import kernel
from asafess.core.found_type import ANNOTATION, COMPILER, DECORATOR, MEASURED, TABLE, FoundType
from asafess.core.mode import Rates
from asafess.core.task_type import TaskType

if TYPE_CHECKING:
    from distributed.scheduler import SchedulerState, TaskState

    from asafess.cluster.group_load import GroupLoad

#: tasks of a group in one graph whose declared types are looked up
SAMPLE = 8
#: groups of one graph that are interpreted, at a tenth of a millisecond each; what is left over is measured
MOST_INTERPRETED = 256


@dataclass(frozen=True, slots=True)
class Declared:
    """What persons have said of some tasks of a group."""

    #: of all that have any
    types: list[TaskType]
    #: where, of the first
    source: str
    looked_at: int
    #: share of those that have any
    share: float


class GroupTypes:
    """Finds the types of task groups.

    Parameters
    ----------
    table : PrefixTable
        The user's types by prefix.
    infer : collection of str
        Where types come from that nobody has declared: *compiler* (rules over the operations of a graph, and Numba
        kernels that a worker has read), *measured* (the first executions).
    """

    def __init__(self, table: PrefixTable, infer: Collection[str] = ()) -> None:
        self._table = table
        self._infer = frozenset(infer)
        self._inference: TypeInference | None = None
        #: groups of the present graph that may still be interpreted
        self._left = 0
        self.learning = Learning()
        self.kernels = KernelCosts()
        #: tasks whose annotation or attribute was no type
        self.bad_types = 0

    @property
    def infers(self) -> bool:
        """Whether types that nobody has declared are wanted."""
        return bool(self._infer)

    def clear(self) -> None:
        """Forget what was learned; what was counted of kernels stays true."""
        self.learning.clear()
        self._inference = None

    def begin(self) -> None:
        """Begin with a new graph."""
        self._left = MOST_INTERPRETED

    def declared(self, members: list[TaskState]) -> Declared:
        """Return what persons have said of a group."""
        types: list[TaskType] = []
        looked_at = members[:: max(1, len(members) // SAMPLE)][:SAMPLE]
        typed, source = 0, ""
        for ts in looked_at:
            found, whose = self._of(ts)
            types += found
            typed += bool(found)
            source = source or whose
        return Declared(types, source, len(looked_at), typed / len(looked_at))

    def _of(self, ts: TaskState) -> tuple[list[TaskType], str]:
        try:
            if found := task_types(ts.run_spec):
                return found, DECORATOR
            if ts.annotations and (found := task_types(ts.run_spec, ts.annotations)):
                return found, ANNOTATION
        except Exception:  # a function or an annotation may do anything when it is looked at
            self.bad_types += 1
        from_table = self._table.find(ts.group.prefix.name)
        return ([from_table], TABLE) if from_table else ([], "")

    def inferred(self, state: SchedulerState, members: list[TaskState], load: GroupLoad) -> FoundType | None:
        """Return what rules, a counted kernel or measurements say of a group that nobody has declared."""
        if not self._infer:
            return None
        ts = members[0]
        names = signature(ts.run_spec)
        derived = None
        if COMPILER in self._infer and self._left > 0:
            self._left -= 1
            derived = self._rules(state).found(ts.key, ts.group.prefix.name)
            if derived is None and kernel(getattr(ts.run_spec, "func", None)) is not None:
                derived = self.kernels.find(names, ts.group.prefix.name)
                load.kernel = names if derived is None else None
                if derived is None:
                    self.kernels.ask((one.key for one in members), names)
        return self._measured(load, names, derived)

    def _rules(self, state: SchedulerState) -> TypeInference:
        if self._inference is None:
            tasks = state.tasks
            self._inference = TypeInference(
                lambda key: ts.run_spec if (ts := tasks.get(key)) is not None else None,
                lambda key: float(ts.nbytes) if (ts := tasks.get(key)) is not None and ts.nbytes >= 0 else None,
            )
        return self._inference

    def _measured(self, load: GroupLoad, names: tuple[str, ...], derived: FoundType | None) -> FoundType | None:
        """Return a derived type, or what was measured where that says more."""
        if MEASURED in self._infer:
            return self.learning.find(load.group, names, derived) or derived
        return derived

    def counted(
        self, names: tuple[str, ...], counts: dict[str, float] | None, loads: Iterable[GroupLoad]
    ) -> Iterator[tuple[GroupLoad, FoundType]]:
        """Take what a worker has counted of a kernel; yield the groups that have waited for it, with their types."""
        if not self.kernels.answered(names, counts):
            return
        for load in loads:
            if load.kernel == names:
                load.kernel = None
                found = self._measured(load, names, self.kernels.find(names, load.group.prefix.name))
                if found is not None:
                    yield load, found

    def learned(
        self, state: SchedulerState, states: Mapping[str, str], rates: Rates | None
    ) -> list[tuple[str, FoundType]]:
        """Return names of groups of which measurement has something new to say; see `asafess.cluster.learning`."""
        if MEASURED not in self._infer:
            return []
        return self.learning.look(state.task_groups, states, rates, state.total_nthreads)
