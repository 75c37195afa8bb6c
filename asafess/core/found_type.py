"""A task type together with where it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asafess.core.task_type import TaskType

#: where types come from that nobody has declared
COMPILER, MEASURED = INFERRED = ("compiler", "measured")
#: where a person declares them
DECORATOR, ANNOTATION, TABLE = DECLARED = ("decorator", "annotation", "table")
#: where a type may come from, the strongest word first
SOURCES = (*DECLARED, *INFERRED)


@dataclass(frozen=True, slots=True)
class FoundType:
    """A task type, where it came from, and how sure that is.

    Raises
    ------
    ValueError
        An unknown source, or a confidence that is no share.

    Examples
    --------
    >>> from asafess.core.task_type import declare
    >>> FoundType(declare(name="sum", per_byte={"compute": 0.125}), "compiler", 0.9, "reduction").source
    'compiler'
    """

    type: TaskType
    #: one of `SOURCES`
    source: str
    #: 0 to 1; 1 for what a person has said
    confidence: float = 1.0
    #: in words: the rule, or what was measured
    why: str = ""

    def __post_init__(self) -> None:
        if self.source not in SOURCES:
            raise ValueError(f"source must be one of {', '.join(SOURCES)}, not {self.source!r}")
        if not 0 <= self.confidence <= 1:
            raise ValueError(f"confidence must be a share from 0 to 1, not {self.confidence!r}")

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**self.type.to_dict(), "source": self.source, "confidence": self.confidence, "why": self.why}


def mean(found: Sequence[FoundType]) -> FoundType:
    """Return the type of a group from those of some of its tasks.

    Examples
    --------
    >>> from asafess.core.task_type import declare
    >>> view, add = (FoundType(declare(name="x", loads={"compute": c}), "compiler", 1.0, str(c)) for c in (0, 8))
    >>> mean([view, add, add, add]).type.loads, mean([view, add]).why
    ({'compute': 6.0}, '8 (mean of 2 tasks)')
    """
    first = found[0]
    if all(one.type == first.type for one in found):
        return first
    most = max(found, key=lambda one: sum(one.type.loads.values()) + sum(one.type.per_byte.values()))
    loads, per_byte = _mean(one.type.loads for one in found), _mean(one.type.per_byte for one in found)
    sure = min(one.confidence for one in found)
    return FoundType(
        TaskType(first.type.name, loads, per_byte), first.source, sure, f"{most.why} (mean of {len(found)} tasks)"
    )


def _mean(loads: Iterable[Mapping[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    count = 0
    for load in loads:
        count += 1
        for axis, amount in load.items():
            total[axis] = total.get(axis, 0.0) + amount
    return {axis: amount / count for axis, amount in total.items()}
