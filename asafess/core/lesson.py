"""What is learned of one kind of task over time, apart from what optimizations do to it.

An optimization changes how long tasks take. If it thereby changed what the scheduler knows of them, it would move the
mode that drives it. So observations are kept apart by *state* (of all optimizations together):

1. Until enough tasks agree (`SURE`) there is no figure.
2. The first state in which they do gives it for good: nothing that is seen in another state counts from then on. So
   however often states change, they never move it.
3. When `ENOUGH` tasks have been seen and the latest are steady, the figure is settled and stands still. It is learned
   anew when, in its own state, as many tasks say that it is off by more than `BAND`: then the data has changed.
"""

from __future__ import annotations

from collections import deque

from asafess.core.fit import HEAVY, NEGLIGIBLE, Fit, Observation, amount, best_fit
from asafess.core.learned import CERTAIN, SURE

#: tasks after which a steady figure is settled, and the agreement that is steady
ENOUGH = 32
STEADY = 0.8
#: factor, either way, within which a settled figure stays
BAND = 2.0
#: looks that a settled figure is compared with at least, and that are remembered
FEW_LOOKS = 4
LOOKS = 16
#: states that are kept apart while none has enough
MOST_STATES = 8
#: a figure is computed when so many tasks are there; again when half as many as it was computed from are new, or as
#: many as weigh; and told when it has moved by a tenth
FIRST = 2
GROWTH = 0.5
NOTABLE = 0.1


class _Evidence:
    """What was seen in one state."""

    __slots__ = ("looks", "missing", "tasks")

    def __init__(self) -> None:
        self.looks: deque[Observation] = deque(maxlen=LOOKS)
        #: tasks, and those that are to be seen before a figure is computed
        self.tasks = 0
        self.missing: float = FIRST


class Lesson:
    """What was learned of one kind of task.

    Examples
    --------
    >>> from asafess.core.fit import Observation
    >>> lesson = Lesson()
    >>> for _ in range(6):
    ...     news = lesson.observe("off", Observation(8, 4.0))
    >>> lesson.fit.seconds, lesson.settled
    (0.5, True)
    >>> any(lesson.observe("on", Observation(8, 8.0)) for _ in range(100))
    False
    """

    __slots__ = ("_evidence", "fit", "relearned", "settled", "state")

    def __init__(self) -> None:
        self._evidence: dict[object, _Evidence] = {}
        #: the figure that counts; None while nothing is known
        self.fit: Fit | None = None
        #: the state in which it was learned
        self.state: object = None
        #: whether it stands still
        self.settled = False
        #: how often it was learned anew because the data had changed
        self.relearned = 0

    def wants(self, state: object) -> bool:
        """Say whether what is seen in a state can still count."""
        return self.fit is None or state == self.state

    def observe(self, state: object, seen: Observation) -> bool:
        """Take what was seen in a state, any hashable value; return whether there is news: a figure, or a surer one."""
        if not self.wants(state):
            return False
        evidence = self._evidence.get(state)
        if evidence is None:
            if len(self._evidence) == MOST_STATES:
                del self._evidence[next(iter(self._evidence))]
            evidence = self._evidence[state] = _Evidence()
        looks = evidence.looks
        looks.append(seen)
        evidence.tasks += seen.tasks
        evidence.missing -= seen.tasks
        if evidence.missing > 0 or (self.settled and len(looks) < FEW_LOOKS):
            return False
        found = best_fit(looks)
        if self.settled:
            looks.clear()
            evidence.missing = ENOUGH
            return found is not None and self._check(found)
        evidence.missing = 1 if found is None else min(GROWTH * found.tasks, HEAVY)
        return found is not None and self._learn(state, found)

    def _learn(self, state: object, found: Fit) -> bool:
        before = self.fit
        if before is None:
            if found.confidence < SURE:
                return False
            self._evidence = {state: self._evidence[state]}
        self.state, self.fit = state, found
        if self._evidence[state].tasks >= ENOUGH and found.agreement >= STEADY:
            self.settled = True
            self._evidence.clear()
        elif before is not None and before.by == found.by and _told(before) == _told(found):
            return abs(found.rate - before.rate) > NOTABLE * before.rate
        return True

    def _check(self, found: Fit) -> bool:
        """Compare a settled figure with as many tasks as would settle one."""
        assert self.fit is not None
        total, ignored = found.total, NEGLIGIBLE * found.tasks
        if self.fit.by != "task" and not amount(total, self.fit.by):
            return False  # it can't be compared
        expected = self.fit.rate * amount(total, self.fit.by) + ignored
        typical = found.rate * amount(total, found.by) + ignored
        if found.confidence < SURE or (expected <= BAND * typical and typical <= BAND * expected):
            return False
        self.fit = found
        self.relearned += 1
        return True


def _told(one: Fit) -> tuple[bool, bool]:
    """Return what of a fit's confidence matters to whoever is told."""
    return one.confidence >= SURE, one.confidence >= CERTAIN
