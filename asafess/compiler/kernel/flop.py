"""Numbers of operations and bytes, and how many floating-point operations each operation is."""

from __future__ import annotations

from dataclasses import dataclass

import sympy
from sympy import Expr

from asafess.compiler.operation_counts import in_loops, per_element

BYTES = ("read", "written")
_WEIGHTS = {"add": 1, "mul": 1, "div": 1, "sqrt": 1, "min": 1, "fma": 2, "random": 5}


@dataclass(frozen=True)
class Counts:
    """Numbers: what a kernel does for arrays of given sizes."""

    #: floating-point operations by name
    operations: dict[str, float]
    read: float
    written: float
    #: distinct bytes touched, at most
    footprint: float
    #: bytes that move between memory and a core's caches; see `asafess.compiler.kernel.traffic`
    traffic: float

    @property
    def flop(self) -> float:
        """Floating-point operations."""
        return sum(weight(name) * count for name, count in self.operations.items())

    @property
    def loops(self) -> float:
        """Of them those that count as *loops*; see `asafess.compiler.operation_counts.in_loops`."""
        return sum(in_loops(weight(name)) * count for name, count in self.operations.items())

    @property
    def bytes(self) -> float:
        """Bytes read and written."""
        return self.read + self.written

    @property
    def intensity(self) -> float:
        """Flop per byte read or written."""
        return self.flop / self.bytes if self.bytes else float("inf") if self.flop else 0.0


def flop_of(counts: dict[str, Expr]) -> Expr:
    """Return the floating-point operations among counts by name."""
    return sympy.expand(sympy.Add(*(weight(name) * n for name, n in counts.items() if name not in BYTES)))


def weight(name: str) -> int:
    """Return the flop of one operation, the same as where NumPy's functions are counted in array programs."""
    if name in _WEIGHTS:
        return _WEIGHTS[name]
    weight = per_element({"mod": "remainder", "lgamma": "gammaln"}.get(name, name), "f")
    return round(weight) if weight else 1
