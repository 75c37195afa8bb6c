"""Where the type of a task group comes from: a person, the compiler's rules, a counted kernel, or measurement."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asafess.cluster.guard import guarded
from asafess.cluster.kernel_costs import KernelCosts
from asafess.cluster.learning import Learning
from asafess.cluster.signature import signature, told
from asafess.compiler.find import find
from asafess.compiler.inference import TypeInference
from asafess.compiler.kernel_calls import has_code
from asafess.compiler.resolve import PrefixTable
from asafess.core.found_type import COMPILER, MEASURED, FoundType, mean
from asafess.core.mode import Rates
from asafess.core.task_type import TaskType

if TYPE_CHECKING:
    from distributed.scheduler import Scheduler, SchedulerState, TaskState

    from asafess.cluster.group_load import GroupLoad

#: tasks of a group in one graph whose declared types are looked up
SAMPLE = 8
#: and that are interpreted where nobody has declared one: the first, one in the middle, the last
LOOKED_AT = 3
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

    @property
    def looks(self) -> bool:
        """Whether a group of the present graph is still interpreted."""
        return self._left > 0

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
        found, source, problem = find(ts.run_spec, ts.annotations, ts.group.prefix.name, self._table)
        self.bad_types += bool(problem)
        return found, source

    def stands(self, load: GroupLoad) -> bool:
        """Say whether nothing is asked about a group that another look at its tasks could tell."""
        waits = load.kernel is not None and self.kernels.wanted(load.kernel)
        return not waits and self.learning.goes_on(load.group)

    def inferred(self, state: SchedulerState, members: list[TaskState], load: GroupLoad) -> FoundType | None:
        """Return what rules, a counted kernel or measurements say of a group that nobody has declared."""
        if not self._infer:
            return None
        derived = None
        if COMPILER in self._infer and self._left > 0:
            self._left -= 1
            try:
                derived = guarded(self._derived, state, members, load)
            except Exception:  # to look at a task may be anyone's code
                self.bad_types += 1
        if MEASURED not in self._infer:
            return derived
        return self._measured(load, signature(members[0].run_spec), derived)

    def _derived(self, state: SchedulerState, members: list[TaskState], load: GroupLoad) -> FoundType | None:
        """Return what rules or a counted kernel say: of a few tasks, as some may be views and others work."""
        looked_at = members if len(members) <= LOOKED_AT else [members[0], members[len(members) // 2], members[-1]]
        found = []
        for ts in looked_at:
            one = self._rules(state).found(ts.key, ts.group.prefix.name)
            if one is None:
                return self._kernels(state, ts, members, load) if has_code(ts.run_spec) else None
            found.append(one)
        return mean(found)

    def _kernels(
        self, state: SchedulerState, ts: TaskState, members: list[TaskState], load: GroupLoad
    ) -> FoundType | None:
        """Return what a worker has counted of tasks like one, and have them counted if none has."""
        functions = signature(ts.run_spec)
        if self.kernels.hopeless(functions):
            return None
        sizes = {one.key: float(one.nbytes) for one in ts.dependencies if one.nbytes >= 0}
        rules = self._rules(state)
        names = (*functions, told(ts.run_spec, rules.value, sizes.get))
        load.kernel = None if self.kernels.counted(names) else names
        # where the first is another kind of task, so may be the others
        self.kernels.ask((one.key for one in (members if ts is members[0] else [ts])), names)
        return self.kernels.find(names, ts.group.prefix.name)

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
            if load.kernel is not None and load.kernel[:-1] == names[:-1]:
                found = self._measured(load, names[:-1], self.kernels.find(load.kernel, load.group.prefix.name))
                if load.kernel == names:
                    load.kernel = None
                if found is not None:
                    yield load, found

    def learned(self, state: Scheduler, states: Mapping[str, str], rates: Rates | None) -> list[tuple[str, FoundType]]:
        """Return names of groups of which measurement has something new to say; see `asafess.cluster.learning`."""
        if MEASURED not in self._infer:
            return []
        metrics = state.cumulative_worker_metrics
        return self.learning.look(state.task_groups, metrics, states, rates, state.total_nthreads)
