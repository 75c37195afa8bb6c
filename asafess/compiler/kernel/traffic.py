"""How many bytes a kernel moves between memory and a core's caches: from boxes, pass by pass.

A *pass* is an outermost nest of loops, or a statement outside of loops. What fits into a cache altogether is moved
once. Else each pass moves the smallest box around what it touches of an array; but of an array that is larger than a
cache, and where the address depends on the data, each access, because what is near it is likely to be elsewhere by
the time it is wanted again. Reuse within a pass is taken to succeed: how far apart it is, is not looked at. (After the
layer conditions of Stengel, Treibig, Hager, Wellein, ICS 2015, but for those of inner loops.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, Integer, expand

from asafess.compiler.kernel.footprint import Box, around, box_of, nbytes
from asafess.compiler.kernel.numbers import number
from asafess.compiler.kernel.study import Loop, Nest, Study
from asafess.compiler.kernel.sums import Facts, total_without_cases
from asafess.compiler.kernel.values import Array, Root, sizes_in
from asafess.compiler.operation_counts import CACHE


@dataclass(frozen=True)
class Touched:
    """What a pass touches of an array, in bytes."""

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


Passes = tuple[tuple[Touched, ...], ...]


def passes(study: Study, facts: Facts) -> Passes:
    """Return what each pass of a kernel touches."""
    found: dict[Any, list[tuple[Array, tuple[Loop, ...]]]] = {}
    for array, loops, statement in study.touches:
        found.setdefault(loops[0].counter if loops else statement, []).append((array, loops))
    return tuple(_pass(study, touches, facts) for touches in found.values())


def traffic(of: Passes, footprint: float, values: Mapping[Any, Any]) -> float:
    """Return the bytes that a kernel moves, for numbers; the distinct ones that it touches where some are missing."""
    if footprint <= CACHE or any(one.sizes - values.keys() for each in of for one in each):
        return footprint
    return float(sum(touched.moved(values) for each in of for touched in each))


def _pass(study: Study, touches: Iterable[tuple[Array, tuple[Loop, ...]]], facts: Facts) -> tuple[Touched, ...]:
    boxes: dict[Root, Box] = {}
    scattered: dict[Root, Expr] = {}
    for array, loops in dict.fromkeys(touches):
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
