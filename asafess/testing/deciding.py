"""The deciding half: a declaration that the controller takes, a total and pure domain, costs in seconds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from asafess.cluster.guard import guarded, numbers, text
from asafess.core.domain import Domain
from asafess.core.mode import Rates, Sample, Scheduled, mode_vector
from asafess.core.task_type import AXES
from asafess.optimizations.base import Optimization
from asafess.testing.contract import called, want, want_numbers

#: flop/s, bytes/s and bytes/s: a cluster of today, one with fast links, one with slow ones, and one without any cores
MACHINES = ((1e10, 1e10, 1e9), (1e9, 1e9, 1e12), (1e11, 1e11, 1e4), (1e3, 1e3, 1e9))
#: loads of a moment, from nothing to more than any machine does in a day
LOADS = (0.0, 1e-9, 1.0, 1e3, 1e6, 1e9, 1e12, 1e18)
RATIOS = (0.0, 1e-6, 0.1, 0.5, 1.0, 2.0, 100.0, math.inf)
ZEROS = (0.0, 0.01, 0.5, 0.9, 1.0)
#: vectors on several axes at once
MIXED = 300


def check_declaration(optimization: Any) -> None:
    """Want an object with a name, states and a declaration."""
    want(
        isinstance(optimization, Optimization),
        f"an optimization must be an object of a subclass of asafess.Optimization, not {optimization!r}",
    )
    try:
        guarded(optimization.declaration)
    except Exception as error:
        raise AssertionError(f"its declaration must be one that the controller takes: {text(error)}") from error
    want(
        optimization.declaration().name == optimization.name
        and tuple(optimization.declaration().states) == tuple(optimization.states),
        f"{optimization.name}.declaration() must give its own name and states",
    )


def check_deciding(optimization: Optimization, extra: Mapping[str, float]) -> None:
    """Want decisions that are states of its own, the same for the same input, at any rates and any load.

    Parameters
    ----------
    optimization : Optimization
    extra : mapping
        What its `rates` has measured.
    """
    axes: set[str] = set()
    for flop, memory, link in MACHINES:
        rates = Rates(flop, memory, link, extra=dict(extra))
        domain = _domain(optimization, rates)
        _table(optimization, domain, asked := _Asked())
        axes |= asked.axes
        vectors = list(_vectors(sorted(axes)))
        first = [_table(optimization, domain, vector) for vector in vectors]
        again = _domain(optimization, rates)
        second = [_table(optimization, again, vector) for vector in reversed(vectors)]
        for vector, one, other in zip(vectors, first, reversed(second), strict=True):
            want(
                one == other,
                f"{optimization.name}.domain must say the same of the same vector whatever was asked before, but of "
                f"{vector} it said {one} and then {other}",
            )
        for name, value in called(optimization, "thresholds", rates).items():
            number = isinstance(value, int | float) and not math.isnan(value)
            want(number, f"{optimization.name}.thresholds must be numbers, but {name} is {value!r}")
        _check_costs(optimization, rates, sorted(axes))


def _domain(optimization: Optimization, rates: Rates) -> Domain:
    domain = called(optimization, "domain", rates)
    name, states = optimization.name, tuple(optimization.states)
    want(isinstance(domain, Domain), f"{name}.domain(rates) must return an asafess.Domain, not {domain!r}")
    want(
        tuple(domain.states) == states,
        f"the domain of {name} must be over its own states {states}, not over {tuple(domain.states)}",
    )
    return domain  # type: ignore[no-any-return]


def _table(optimization: Optimization, domain: Domain, vector: Mapping[str, float]) -> dict[str, str]:
    """Return what the domain says in each state."""
    try:
        table = guarded(domain.table, vector)
        because = [guarded(domain.explain, state, vector) for state in optimization.states]
    except Exception as error:
        raise AssertionError(
            f"the domain of {optimization.name} must say something of any vector, but of {dict(vector)} it raised "
            f"{text(error)}; a component that is not known is not there (use axis(name, if_unknown=…) or vector.get)"
        ) from error
    states = set(optimization.states)
    want(
        set(table) == states and set(table.values()) <= states,
        f"the domain of {optimization.name} must lead from each state to a state of its own {optimization.states}, "
        f"but for {dict(vector)} it says {table}",
    )
    want(all(isinstance(one, str) for one in because), f"the domain of {optimization.name} must explain in words")
    return dict(table)


class _Asked(dict[str, float]):
    """An empty vector that remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.axes: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.axes.add(key)
        return default

    def __contains__(self, key: object) -> bool:
        self.axes.add(str(key))
        return False


def _vectors(asked: list[str]) -> Iterator[dict[str, float]]:
    """Return mode vectors: nothing known, one component, all together, and any of them."""
    values = dict.fromkeys(sorted({*AXES, *asked}), LOADS) | {"ratio": RATIOS, "zeros": ZEROS}
    yield {}
    for axis, some in values.items():
        for value in some:
            yield {axis: value}
    random = Random(0)
    for _ in range(MIXED):
        share = random.choice((0.3, 0.7, 1.0))
        yield {axis: random.choice(some) for axis, some in values.items() if random.random() < share}


def _check_costs(optimization: Optimization, rates: Rates, asked: list[str]) -> None:
    name, states = optimization.name, set(optimization.states)
    for vector in _vectors(asked):
        load = {axis: one for axis, one in vector.items() if axis not in ("ratio", "zeros")}
        if not any(load.values()):
            continue  # nothing is scheduled: nobody asks
        known: dict[str, float] = {}
        sample = Sample(0.0, (Scheduled("any", 4, load),), 4, 2, rates, vector.get("zeros"), measured=known)
        for state in optimization.states:
            found = called(optimization, "measured", sample, state, {}, {})
            want_numbers(f"{name}.measured()", found)
            known.update(numbers(found))
        seconds = called(optimization, "costs", sample)
        if seconds is not None:
            want(
                isinstance(seconds, Mapping)
                and set(seconds) == states
                and all(isinstance(one, int | float) and 0 <= one < math.inf for one in seconds.values()),
                f"{name}.costs must give each of its states a finite number of seconds ≥ 0, or be None, but for the "
                f"mode {mode_vector(load, sample)} it is {seconds!r}",
            )
        want(
            seconds == called(optimization, "costs", sample),
            f"{name}.costs must be the same for the same sample, but for the load {load} it was {seconds} before",
        )
