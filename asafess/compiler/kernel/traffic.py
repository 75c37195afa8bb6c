"""How many bytes a kernel moves between memory and a core's caches: from boxes, sweep by sweep.

A *sweep* is an outermost nest of loops, or a statement outside of loops. What fits into a core's own cache altogether
is moved once. Else each sweep moves the smallest box around what it touches of an array; but of an array that is larger
than a cache, and where the address depends on the data, each access, because what is near it is likely to be elsewhere
by the time it is wanted again. Where a single turn of a sweep's loop touches more than the last cache holds, nothing is
left of it for the next one, so each turn is looked at like a kernel of its own. (These are the layer conditions of
Stengel, Treibig, Hager, Wellein, ICS 2015, for the last cache alone: the ones before it are quick to fill again.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, Integer, Rational, S, Symbol, expand

from asafess.compiler.kernel.footprint import Box, around, box_of, nbytes
from asafess.compiler.kernel.numbers import number
from asafess.compiler.kernel.study import Loop, Nest, Study
from asafess.compiler.kernel.sums import Facts, total_without_cases
from asafess.compiler.kernel.values import Array, Root, sizes_in
from asafess.compiler.operation_counts import CACHE, LAST_CACHE

#: what is touched, the loops around that, outermost first, and the statement
Touch = tuple[Array, tuple[Loop, ...], int]


@dataclass(frozen=True)
class Touched:
    """What is touched of an array, in bytes."""

    #: all of the array
    whole: Expr
    #: the smallest box around it
    box: Expr
    #: each access at an address that depends on the data; 0 where there is none
    scattered: Expr

    @property
    def sizes(self) -> set[Any]:
        """Sizes and estimated numbers that it depends on."""
        return set().union(*map(sizes_in, (self.whole, self.box, self.scattered)))

    def replaced(self, values: Mapping[Any, Any]) -> Touched:
        """Return the same with symbols replaced."""
        return Touched(*(expr.xreplace(values) for expr in (self.whole, self.box, self.scattered)))

    def moved(self, values: Mapping[Any, Any]) -> float:
        """Return the bytes that move, for numbers."""
        whole, box, scattered = (number(expr, values) for expr in (self.whole, self.box, self.scattered))
        return box if not scattered or whole <= CACHE else scattered


@dataclass(frozen=True)
class Sweep:
    """A nest of loops, or a statement."""

    touched: tuple[Touched, ...]
    #: the outermost loop: its counter and turns; None for a statement
    counter: Symbol | None = None
    turns: Expr = S.One
    #: one turn
    inside: tuple[Sweep, ...] = ()

    @property
    def sizes(self) -> set[Any]:
        """Sizes and estimated numbers that it depends on."""
        return sizes_in(self.turns).union(*(one.sizes for one in self.touched), *(one.sizes for one in self.inside))

    def replaced(self, values: Mapping[Any, Any]) -> Sweep:
        """Return the same with symbols replaced."""
        return Sweep(
            tuple(one.replaced(values) for one in self.touched),
            self.counter,
            self.turns.xreplace(values),
            tuple(sweep.replaced(values) for sweep in self.inside),
        )

    def moved(self, values: Mapping[Any, Any]) -> float:
        """Return the bytes that move, for numbers."""
        whole = float(sum(one.moved(values) for one in self.touched))
        turns = number(self.turns, values)
        if self.counter is None or whole <= LAST_CACHE or turns < 1:
            return whole
        # the one in the middle stands for all
        turn = {**values, self.counter: Rational(int(turns) // 2)}
        again = float(sum(one.moved(turn) for one in self.inside))
        return max(whole, turns * again) if again > LAST_CACHE else whole


def sweeps(study: Study, facts: Facts) -> tuple[Sweep, ...]:
    """Return the sweeps of a kernel."""
    return _sweeps(study, study.touches, facts)


def traffic(of: Sequence[Sweep], footprint: float, values: Mapping[Any, Any]) -> float:
    """Return the bytes that a kernel moves, for numbers; the distinct ones that it touches where some are missing."""
    if footprint <= CACHE or any(one.sizes - values.keys() for one in of):
        return footprint
    return float(sum(one.moved(values) for one in of))


def _sweeps(study: Study, touches: Sequence[Touch], facts: Facts) -> tuple[Sweep, ...]:
    found: dict[Any, list[Touch]] = {}
    for touch in touches:
        found.setdefault(touch[1][0].counter if touch[1] else touch[2], []).append(touch)
    return tuple(_sweep(study, some, facts) for some in found.values())


def _sweep(study: Study, touches: Sequence[Touch], facts: Facts) -> Sweep:
    loops = touches[0][1]
    touched = _touched(study, touches, facts)
    if not loops:
        return Sweep(touched)
    inside = _sweeps(study, [(array, inner[1:], statement) for array, inner, statement in touches], facts)
    return Sweep(touched, loops[0].counter, sympy.sympify(loops[0].trips), inside)


def _touched(study: Study, touches: Sequence[Touch], facts: Facts) -> tuple[Touched, ...]:
    boxes: dict[Root, Box] = {}
    scattered: dict[Root, Expr] = {}
    for array, loops in dict.fromkeys((array, loops) for array, loops, _ in touches):
        box, depends = box_of(array, loops, study, facts)
        boxes[array.root] = around(boxes.get(array.root), box)
        if depends:
            accesses = array.itemsize * _turns(loops) * array.size
            scattered[array.root] = scattered.get(array.root, Integer(0)) + accesses
    return tuple(
        Touched(
            expand(root.itemsize * sympy.prod(root.dims)),
            nbytes(root, box, facts),
            scattered.get(root, Integer(0)),
        )
        for root, box in boxes.items()
    )


def _turns(loops: tuple[Loop, ...]) -> Expr:
    """Return how often the innermost of some loops turns."""
    nest = Nest(counts={"turns": Integer(1)})
    for loop in reversed(loops):
        nest = Nest(loop, inside=[(Integer(1), nest)])
    return total_without_cases(nest)["turns"]
