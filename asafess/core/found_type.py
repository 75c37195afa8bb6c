"""A task type together with where it came from."""

from __future__ import annotations

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
