"""The acting half in a worker: states in any order, faults in between, two workers in one process; and all put back."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from asafess.optimizations.base import Optimization
from asafess.testing.contract import called, want, want_numbers
from asafess.testing.faults import enter_until
from asafess.testing.process import differences, picture

#: lines of `enter` before which an exception is raised
MOST_LINES = 100
#: what a hook that has the cluster's own names would overwrite
STANDARD_RATES = ("flop", "memory", "link", "loops")


class Workers:
    """Acting halves of one process, and how it was before any of them did anything.

    Parameters
    ----------
    make : callable
        Returns the optimization as a worker gets it.
    dtypes : sequence of str
        For `prepare`.
    snapshot : callable, optional
        See `asafess.testing.process.picture`.
    """

    def __init__(
        self, make: Callable[[], Optimization], dtypes: Sequence[str], snapshot: Callable[[], Any] | None
    ) -> None:
        self._make, self._dtypes, self._snapshot = make, list(dtypes), snapshot
        self._before = picture(snapshot)
        self._filters: list[Any] | None = None

    def one(self, prepared: bool = True) -> Optimization:
        """Return one more."""
        made = self._make()
        if prepared:
            called(made, "prepare", self._dtypes)
        return made

    def imported(self) -> None:
        """Take note that what is needed has been imported; modules add filters of warnings then."""
        self._filters = list(warnings.filters)

    def as_before(self, done: str) -> None:
        """Want that the process is as it was."""
        changed = differences(self._before, picture(self._snapshot))
        want(
            not changed,
            f"`leave` must put back what it found, but after {done} {'; '.join(changed)} (if an import alone does "
            "that, import it before the check)",
        )
        want(
            self._filters is None or self._filters == list(warnings.filters),
            f"`leave` must put back what it found, but after {done} warnings.filters are not what they were",
        )


def check_acting(workers: Workers) -> dict[str, float]:
    """Hold the acting half to its contract; return the rates that it has measured."""
    called(workers.one(prepared=False), "leave")
    workers.as_before("leave without prepare or enter")
    rates = _check_rates(workers)
    _check_orders(workers)
    _check_two(workers)
    _check_faults(workers)
    return rates


def _check_rates(workers: Workers) -> dict[str, float]:
    one = workers.one()
    rates = want_numbers(f"{one.name}.rates()", called(one, "rates"))
    for name, rate in rates.items():
        want(rate > 0, f"{one.name}.rates must be positive, but {name} is {rate}")
        want(
            name not in STANDARD_RATES,
            f"{one.name}.rates must have names of its own, but {name!r} is the cluster's",
        )
    workers.imported()
    called(one, "leave")
    workers.as_before("prepare, rates and leave")
    return rates


def _check_orders(workers: Workers) -> None:
    one = workers.one()
    for state in one.states:
        counted = _enter(one, [state, state])
        called(one, "leave")
        workers.as_before(f"entering {state!r} twice and leave")
        _monotone(one, counted, "leave")
        called(one, "leave")
        workers.as_before(f"entering {state!r} twice and leaving twice")
    one = workers.one()
    every = [state for first in one.states for second in one.states for state in (first, second)]
    _enter(one, every)
    called(one, "leave")
    workers.as_before(f"entering {', '.join(every)} and leave")


def _enter(one: Optimization, states: Iterable[str]) -> dict[str, float]:
    """Enter states one after the other; return the counters."""
    counted: dict[str, float] = {}
    for state in states:
        called(one, "enter", state)
        counted = _monotone(one, counted, f"entering {state!r}")
    return counted


def _monotone(one: Optimization, before: dict[str, float], after: str) -> dict[str, float]:
    counted = want_numbers(f"{one.name}.counters()", called(one, "counters"))
    for name, value in before.items():
        want(
            counted.get(name, -math.inf) >= value,
            f"{one.name}.counters must be running totals, which never fall, but {name} was {value} and is "
            f"{counted.get(name, 'gone')} after {after}",
        )
    return counted


def _check_two(workers: Workers) -> None:
    """Let two workers of one process act: each has unpickled its own, and only the last one that goes is left."""
    states = workers.one().states
    for last in (states[-1], states[0]):
        first, second = workers.one(), workers.one()
        called(first, "enter", states[-1])
        called(second, "enter", states[-1])
        called(second, "enter", last)
        called(second, "leave")
        workers.as_before(
            f"two workers of one process had entered {states[-1]!r}, the second one {last!r} then, and the second one "
            "left: what was found belongs to the process (a global of the module), not to the object"
        )
        called(first, "leave")
        workers.as_before("two workers of one process had entered and both had left")


def _check_faults(workers: Workers) -> None:
    first, *others = workers.one().states
    for state in (*others, first):
        for lines in range(MOST_LINES):
            one = workers.one()
            reached = enter_until(one, state, lines)
            done = f"enter({state!r}) had raised inside, after {lines} of its lines, and leave"
            called(one, "leave")
            workers.as_before(done)
            # the others hear of the fault, and all are told to be off
            called(one, "enter", first)
            called(one, "leave")
            workers.as_before(f"{done}, enter({first!r}) and leave")
            if not reached:
                break
