"""Efficiency domains: in which part of mode space an optimization should be in which state.

A domain is a function (state, vector) → state. It is built from predicates on the vector, which combine
with ``&``, ``|`` and ``~``. Hysteresis takes two of them, *enter* and *leave*; between them the state stays
what it is. n ordered states take n − 1 such pairs.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from asafess.core.mode import Vector

_WORDS = {"<": "below", ">": "above"}
_OPERATORS: dict[str, Callable[[float, float], bool]] = {"<": operator.lt, ">": operator.gt}


class Predicate:
    """Something that holds or does not hold of a mode vector; combine with ``&``, ``|``, ``~``."""

    def __call__(self, vector: Vector) -> bool:
        """Say whether it holds."""
        raise TypeError(f"{type(self).__name__} is no predicate by itself: compare an axis, e.g. axis('ratio') < 0.5")

    def __and__(self, other: Predicate) -> Predicate:
        return _Combined("&", all, (self, _predicate(other)))

    def __or__(self, other: Predicate) -> Predicate:
        return _Combined("|", any, (self, _predicate(other)))

    def __invert__(self) -> Predicate:
        return _Not(self)

    def explain(self, vector: Vector) -> str:
        """Say in words what holds of a vector, for the log of decisions; of what does not hold, that it does not."""
        return str(self) if self(vector) else f"not {self}"


def _predicate(value: object) -> Predicate:
    if not isinstance(value, Predicate):
        raise TypeError(f"a predicate combines only with a predicate, not with {value!r}")
    return value


def _told(value: float) -> str:
    return "infinite" if value == math.inf else f"{value:.3g}"


@dataclass(frozen=True, slots=True)
class _Compare(Predicate):
    axis: str
    sign: str
    threshold: float
    if_unknown: bool

    def __call__(self, vector: Vector) -> bool:
        value = vector.get(self.axis)
        return self.if_unknown if value is None else _OPERATORS[self.sign](value, self.threshold)

    def __str__(self) -> str:
        return f"{self.axis} {self.sign} {self.threshold:.3g}"

    def explain(self, vector: Vector) -> str:
        value = vector.get(self.axis)
        compared = f"{'' if self(vector) else 'not '}{_WORDS[self.sign]} {_told(self.threshold)}"
        if value is None:
            return f"{self.axis} is not known yet, taken to be {compared}"
        return f"{self.axis} {_told(value)} is {compared}"


@dataclass(frozen=True, slots=True)
class _Combined(Predicate):
    sign: str
    rule: Callable[[list[bool]], bool]
    parts: tuple[Predicate, ...]

    def __call__(self, vector: Vector) -> bool:
        return self.rule([part(vector) for part in self.parts])

    def __str__(self) -> str:
        return "(" + f" {self.sign} ".join(map(str, self.parts)) + ")"

    def explain(self, vector: Vector) -> str:
        # of an *or* that holds, only the parts that hold explain anything; of an *and* that does not, the others
        holds = self(vector)
        return " and ".join(part.explain(vector) for part in self.parts if part(vector) == holds)


@dataclass(frozen=True, slots=True)
class _Not(Predicate):
    part: Predicate

    def __call__(self, vector: Vector) -> bool:
        return not self.part(vector)

    def __str__(self) -> str:
        return f"~{self.part}"

    def explain(self, vector: Vector) -> str:
        return self.part.explain(vector)  # which says itself that it does not hold


@dataclass(frozen=True, slots=True)
class axis:  # noqa: N801 - reads as a word of the small language: axis("ratio") < 0.5
    """One component of the mode vector, to be compared with a threshold.

    Parameters
    ----------
    name : str
        Its name: an axis of task types, or ``ratio`` or ``zeros``.
    if_unknown : bool
        What a comparison says while the vector has no such component.

    Examples
    --------
    >>> dense = (axis("ratio") < 0.5) & ~(axis("zeros") > 0.9)
    >>> dense({"ratio": 0.1, "zeros": 0.2}), dense({"ratio": 0.7})
    (True, False)
    >>> print(dense)
    (ratio < 0.5 & ~zeros > 0.9)
    """

    name: str
    if_unknown: bool = False

    def __lt__(self, threshold: float) -> Predicate:
        return self._compare("<", threshold)

    def __gt__(self, threshold: float) -> Predicate:
        return self._compare(">", threshold)

    def _compare(self, sign: str, threshold: float) -> Predicate:
        if isinstance(threshold, bool) or not isinstance(threshold, int | float) or math.isnan(threshold):
            raise TypeError(f"axis {self.name!r} can be compared with a number, not with {threshold!r}")
        return _Compare(self.name, sign, float(threshold), self.if_unknown)


@dataclass(frozen=True, slots=True)
class Hysteresis:
    """Enter the next state when one predicate holds, leave it when another does, else stay.

    The two must exclude each other. Where that can't be seen from outside (any predicates may be given),
    a vector for which both hold changes nothing.
    """

    enter: Predicate
    leave: Predicate


def band(alpha: float, beta: float, name: str = "ratio") -> Hysteresis:
    """Return the paper's hysteresis: on below alpha, off above beta, unchanged between.

    Raises
    ------
    ValueError
        When alpha > beta, or one of them is not a number ≥ 0.

    References
    ----------
    St. John et al., ASAFESSS, ADAPT 2014, doi 10.1145/2553062.2553063.

    Examples
    --------
    >>> band(0.4, 0.8).enter({"ratio": 0.3})
    True
    >>> band(0.8, 0.4)
    Traceback (most recent call last):
    ...
    ValueError: alpha must be at most beta, and both at least 0: alpha 0.8, beta 0.4
    """
    if not 0 <= alpha <= beta:
        raise ValueError(f"alpha must be at most beta, and both at least 0: alpha {alpha}, beta {beta}")
    return Hysteresis(axis(name) < alpha, axis(name) > beta)


@dataclass(frozen=True, slots=True)
class Domain:
    """Efficiency domain over ordered states.

    Parameters
    ----------
    states : sequence of str
        From *off* upwards; at least one.
    steps : sequence of Hysteresis
        One for each step between neighbouring states: ``len(states) - 1``.

    Examples
    --------
    >>> domain = Domain(["off", "light", "full"], [band(1.0, 2.0), band(0.5, 1.0)])
    >>> domain("off", {"ratio": 0.7}), domain("off", {"ratio": 0.1}), domain("full", {"ratio": 1.5})
    ('light', 'full', 'light')
    >>> domain("light", {"ratio": 1.5})
    'light'
    """

    states: Sequence[str]
    steps: Sequence[Hysteresis]

    def __post_init__(self) -> None:
        if len(set(self.states)) != len(self.states) or not self.states:
            raise ValueError(f"states must be different from each other and at least one, not {list(self.states)!r}")
        if len(self.steps) != len(self.states) - 1:
            raise ValueError(
                f"{len(self.states)} ordered states take {len(self.states) - 1} pairs of predicates, "
                f"not {len(self.steps)}"
            )

    def __call__(self, state: str, vector: Vector) -> str:
        """Return the state that the optimization should be in, given the one it is in."""
        return self.table(vector)[state]

    def table(self, vector: Vector) -> dict[str, str]:
        """Return for each state the one that the optimization should be in, were it in this one.

        Examples
        --------
        >>> Domain(["off", "on"], [band(0.5, 1.0)]).table({"ratio": 0.2})
        {'off': 'on', 'on': 'on'}
        """
        up, down = self._pulls(vector)
        return {state: self.states[_walk(at, up, down)] for at, state in enumerate(self.states)}

    def explain(self, state: str, vector: Vector) -> str:
        """Say by which values and thresholds another state than the present one is right; nothing where none is."""
        start = self.states.index(state)
        end = _walk(start, *self._pulls(vector))
        if end == start:
            return ""
        because = self.steps[end - 1].enter if end > start else self.steps[end].leave
        return because.explain(vector)

    def _pulls(self, vector: Vector) -> tuple[list[bool], list[bool]]:
        """Say of each step whether it is to be taken upwards, and whether downwards."""
        both = [(step.enter(vector), step.leave(vector)) for step in self.steps]
        return [enter and not leave for enter, leave in both], [leave and not enter for enter, leave in both]


def _walk(start: int, up: Sequence[bool], down: Sequence[bool]) -> int:
    """Return where the steps lead: upwards as far as they go, or else downwards."""
    at = start
    while at < len(up) and up[at]:
        at += 1
    if at == start:
        while at > 0 and down[at - 1]:
            at -= 1
    return at
