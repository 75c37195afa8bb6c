"""Learning how long tasks compute, from Dask's own records, on the tick.

Dask adds up the seconds of each task group's finished tasks; a look reads what was added since the last one, and takes
of it the share that such tasks computed and did not wait: see `asafess.cluster.cpu_share`. What is learned belongs to
a *signature*, the prefix and the functions that the tasks call, and stays when the group is gone: iterative programs
make the same groups again and again. Transfers are not learned: what a task has to fetch is known from the bytes of
its inputs, and seconds of fetching change with what optimizations do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from asafess.cluster.cpu_share import CpuShare
from asafess.cluster.kinds import CORRECTED, Kinds
from asafess.cluster.watched import Watched
from asafess.core.found_type import FoundType

if TYPE_CHECKING:
    from distributed.scheduler import TaskGroup

    from asafess.core.mode import Rates

#: groups that one tick looks at, and those of them whose records it reads because tasks have finished
GROUPS_PER_TICK = 16
READS_PER_TICK = 2
#: tasks that a look waits for where the figure is settled
SETTLED_TASKS = 8
#: looks at a group that is through which wait for heartbeats: of up to 16 groups in turn, 5 seconds
LOOKS_AFTER = 100
#: groups that are watched at most, and without asking whether Dask still knows them
MOST_GROUPS, KEPT = 2048, 64

#: what waits for other workers takes as long as those do
WAITING = "distributed.shuffle."


class Learning:
    """Types of the task groups that nobody has said anything about, and corrections of derived ones."""

    def __init__(self) -> None:
        self._watched: dict[str, Watched] = {}
        #: those that are looked at, in turn: some of their tasks have not ended
        self._turns: deque[Watched] = deque()
        self.kinds = Kinds()
        #: by prefix, of those that are looked at
        self._shares: dict[str, CpuShare] = {}
        self._metrics: Mapping[Any, float] = {}
        #: groups whose kind has a new figure
        self._news: dict[Watched, None] = {}
        #: those of the optimizations, and as what observations are kept apart by
        self._states: Mapping[str, str] = {}
        self._state: tuple[tuple[str, str], ...] = ()
        self._rates: Rates | None = None
        self._prune_at = KEPT
        #: groups so far, by what was known of them last
        self.counters = self.kinds.counters

    def __len__(self) -> int:
        return len(self._watched)

    def clear(self) -> None:
        """Forget everything but the counters."""
        for store in (self._watched, self._turns, self.kinds, self._shares, self._news):
            store.clear()
        self._prune_at = KEPT

    @property
    def corrections(self) -> list[str]:
        """What measurement says against derived types, in words."""
        return self.kinds.corrections

    def find(self, group: TaskGroup, signature: Iterable[str], derived: FoundType | None = None) -> FoundType | None:
        """Watch a group from now on, and return what is known of its tasks already.

        Parameters
        ----------
        group : distributed.scheduler.TaskGroup
            One whose new tasks have not begun. What a person has said of a group stands: it is not asked about.
        signature : iterable of str
            Names of the functions that its tasks call; see `asafess.cluster.signature`.
        derived : FoundType, optional
            The compiler's.

        Returns
        -------
        FoundType or None
            Source *measured*; None where there is nothing (yet) that says more than `derived`.
        """
        watched = self._watched.get(group.name)
        if watched is None or watched.group is not group:
            if len(self._watched) >= MOST_GROUPS:
                return None
            watched = self._watched[group.name] = Watched(group, self._share(group))
        functions = frozenset(signature)
        if not watched.active:
            watched.cpu = self._share(group)
            watched.read()
        elif functions != watched.functions:
            if watched.looks_after:  # the others have ended
                watched.read()
            else:  # where tasks of a group that call different functions run together, sums can't tell them apart
                functions |= watched.functions
        before = watched.functions if watched in watched.kind.active else None
        watched.kind.active.pop(watched, None)
        watched.functions, watched.derived, watched.looks_after = functions, derived, 0
        watched.kind = self.kinds.find(watched.key)
        if not any(name.startswith(WAITING) for name in functions):
            watched.kind.active[watched] = None
            watched.cpu.enter(functions)
            if not watched.active:
                watched.active = True
                self._turns.append(watched)
        self._leave(watched, before)
        return self.kinds.known(watched, self._rates)

    def goes_on(self, group: TaskGroup) -> bool:
        """Take note of more tasks of a group, like those before; False where it has to be found again."""
        watched = self._watched.get(group.name)
        if watched is None:
            return True
        if not watched.active or watched.group is not group:
            return False
        watched.looks_after = 0
        return True

    def leave(self, name: str) -> None:
        """Watch a group no longer: a person has said what its tasks do."""
        self._watched.pop(name, None)

    def inputs(self, name: str, nbytes: float) -> None:
        """Say how many logical bytes the inputs of a task of a group have, on average."""
        watched = self._watched.get(name)
        if watched is not None:
            watched.input_bytes = nbytes

    def look(
        self,
        groups: Mapping[str, TaskGroup],
        metrics: Mapping[Any, float],
        states: Mapping[str, str],
        rates: Rates | None,
        threads: int,
    ) -> list[tuple[str, FoundType]]:
        """Read what has ended since the last look.

        Parameters
        ----------
        groups : mapping
            Those that Dask knows, `scheduler.task_groups`.
        metrics : mapping
            What workers have counted, `scheduler.cumulative_worker_metrics`.
        states : mapping
            The states of all optimizations.
        rates : Rates or None
            Without them there are no types; what ends is not lost.
        threads : int
            Of all workers together.

        Returns
        -------
        list of (str, FoundType)
            Names of groups whose type is new, or has changed; a derived type where it stands after all.
        """
        self._metrics = metrics
        if states != self._states:
            self.switched(states, threads)
        if rates is None:
            return []
        if rates != self._rates:
            self._rates = rates
            self._news.update(dict.fromkeys(self._turns))
        turns, reads = self._turns, 0
        for _ in range(min(GROUPS_PER_TICK, len(turns))):
            watched = turns[0]
            watched.cpu.look(metrics)
            ended = watched.ended()
            gone = groups.get(watched.group.name) is not watched.group
            over = gone or ended >= len(watched.group)
            if ended > watched.finished:
                self._read(watched, ended, over)
                reads += watched.finished == ended
            else:
                watched.news = watched.cpu.news
            watched.looks_after += over
            if over and not self._waits(watched, ended):
                self._over(turns.popleft(), gone)
            else:
                turns.rotate(-1)
            if reads == READS_PER_TICK:
                break
        if len(self._watched) > self._prune_at:
            self._prune(groups)
        return self._told() if self._news else []

    def switched(self, states: Mapping[str, str], threads: int) -> None:
        """Keep apart what has ended before a switch and what begins after it.

        `look` calls it when it finds other states than before; called at the switch itself nothing is mixed.
        """
        first = not self._states
        for watched in () if first else self._turns:
            ended = watched.ended()
            if ended > watched.finished:
                self._read(watched, ended, over=True)
                watched.read()
            watched.skip_to = ended + min(watched.group.states["processing"], threads)
            watched.cpu.begin()
        self._states, self._state = dict(states), tuple(sorted(states.items()))

    def _read(self, watched: Watched, ended: int, over: bool) -> None:
        """Learn from what has ended in a group; what can't count is left unread."""
        lesson, state = watched.kind.lesson, self._state
        if ended < watched.skip_to or not lesson.wants(state):
            return
        if watched.skip_to > watched.finished:
            watched.read()  # those that began before the switch are among them
            watched.cpu.begin()
            return
        if not watched.readable or (lesson.settled and ended - watched.finished < SETTLED_TASKS and not over):
            return
        seen = watched.seen(self._rates)
        if seen is not None and lesson.observe(state, seen):
            self._news.update(watched.kind.active)

    def _waits(self, watched: Watched, ended: int) -> bool:
        """Say whether heartbeats may still tell of the last tasks of a group that is through."""
        wanted = watched in watched.kind.active and watched.kind.lesson.wants(self._state)
        return wanted and ended > watched.finished and watched.looks_after < LOOKS_AFTER and not watched.cpu.mixed

    def _told(self) -> list[tuple[str, FoundType]]:
        """Return the news of groups that still go on."""
        news, self._news = self._news, {}
        told = []
        for watched in news:
            if self._watched.get(watched.group.name) is watched:
                stood = watched.known != CORRECTED
                found = self.kinds.known(watched, self._rates) or (None if stood else watched.derived)
                if found is not None:
                    told.append((watched.group.name, found))
        return told

    def _share(self, group: TaskGroup) -> CpuShare:
        share = self._shares.get(group.prefix.name)
        if share is None:
            share = self._shares[group.prefix.name] = CpuShare(group.prefix, self._metrics)
        return share

    def _leave(self, watched: Watched, functions: frozenset[str] | None) -> None:
        """Take note that tasks of a group which call these functions have ended, and forget a share without any."""
        if functions is not None:
            watched.cpu.leave(functions)
        if not watched.cpu.running:
            self._shares.pop(watched.group.prefix.name, None)

    def _over(self, watched: Watched, gone: bool) -> None:
        """Look at a group no longer; until Dask forgets it, it may get more tasks."""
        watched.active = False
        if watched in watched.kind.active:
            del watched.kind.active[watched]
            self._leave(watched, watched.functions)
        if gone and self._watched.get(watched.group.name) is watched:
            del self._watched[watched.group.name]

    def _prune(self, groups: Mapping[str, TaskGroup]) -> None:
        """Forget the groups that Dask has forgotten; each time when there are twice as many as were left."""
        for name, one in list(self._watched.items()):
            if not one.active and groups.get(name) is not one.group:
                del self._watched[name]
        self._prune_at = max(KEPT, 2 * len(self._watched))
