"""What a task does, part by part: the result of interpreting it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from asafess.compiler.abstract.values import UNKNOWN

#: what an operation is; the first word that a person reads of it
KINDS = (
    *("elementwise", "reduction", "linalg", "fft", "sort", "moving", "creation", "frame", "view", "kernel"),
    "unknown",
)


@dataclass(frozen=True, slots=True)
class Part:
    """One operation that a task does.

    Examples
    --------
    >>> Part("numpy.add", "elementwise", flop=100, nbytes=2400).known
    True
    """

    #: of the function, with its module
    name: str
    #: one of `KINDS`
    kind: str
    #: floating-point operations, as `asafess.compiler.operation_counts` counts them
    flop: float = 0.0
    #: bytes read and written
    nbytes: float = 0.0
    #: whether its purpose is moving or copying data
    moved: bool = False
    #: False: this operation can't be derived, so neither can the task
    known: bool = True
    #: in words: the rule, or why it is not known
    why: str = ""
    #: 1 for exact shapes and counts; less where a size or a count is an estimate
    confidence: float = 1.0
    #: logical bytes that it sends or fetches without Dask's records showing it (a p2p shuffle)
    communication: float = 0.0
    #: of `flop` those that no library does in registers; None: all, or none for linear algebra and Fourier transforms
    loops: float | None = None

    @property
    def bytes(self) -> float:
        """Bytes read and written."""
        return self.nbytes

    @property
    def in_loops(self) -> float:
        """Floating-point operations in loops."""
        if self.loops is not None:
            return self.loops
        return 0.0 if self.kind in ("linalg", "fft") else self.flop


@dataclass(frozen=True, slots=True)
class Inferred:
    """What interpreting a task found.

    Examples
    --------
    >>> Inferred(5, (Part("numpy.add", "elementwise", 10, 240), Part("numpy.sum", "reduction", 10, 88))).flop
    20.0
    """

    #: abstract value of the task's result
    value: Any = UNKNOWN
    #: what it does, in order; none for an alias or a view that costs nothing
    parts: tuple[Part, ...] = ()

    @property
    def known(self) -> bool:
        """Whether all parts are known."""
        return all(part.known for part in self.parts)

    @property
    def flop(self) -> float:
        """Floating-point operations of all parts."""
        return float(sum(part.flop for part in self.parts))

    @property
    def loops(self) -> float:
        """Floating-point operations in loops, of all parts."""
        return float(sum(part.in_loops for part in self.parts))

    @property
    def nbytes(self) -> float:
        """Bytes touched by all parts."""
        return float(sum(part.nbytes for part in self.parts))

    @property
    def communication(self) -> float:
        """Bytes moved without Dask's records showing it, by all parts."""
        return float(sum(part.communication for part in self.parts))

    @property
    def moved(self) -> bool:
        """Whether the task only moves data: it does no arithmetic, and some part of it moves."""
        return any(part.moved for part in self.parts) and not self.flop

    @property
    def confidence(self) -> float:
        """The least of all parts."""
        return min((part.confidence for part in self.parts), default=1.0)

    @property
    def why(self) -> str:
        """The rules in words, each once; of an unknown task, why it is."""
        parts = [part for part in self.parts if not part.known] or list(self.parts)
        return "; ".join(dict.fromkeys(part.why or f"{part.kind} {part.name}" for part in parts)) or "view"
