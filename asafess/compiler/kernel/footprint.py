"""How many distinct bytes a kernel touches: for each array the smallest box around all that is read or written.

An upper bound: every element of the box counts, also where a step or a condition leaves some out. Where addresses
depend on the data, the box is the whole array.
"""

from __future__ import annotations

import sympy
from sympy import Expr, Integer, Max, Min, expand

from asafess.compiler.kernel.study import Loop, Study
from asafess.compiler.kernel.sums import Facts
from asafess.compiler.kernel.values import Array, Axis, Element, Root

Part = tuple[Expr, Expr] | None  # first and last index along an axis; None: all of it
Box = list[Part]


def footprint(study: Study, facts: Facts) -> Expr:
    """Return the distinct bytes touched, as an expression."""
    boxes: dict[Root, Box] = {}
    for array, loops in dict.fromkeys((array, loops) for array, loops, _ in study.touches):
        boxes[array.root] = around(boxes.get(array.root), box_of(array, loops, study, facts)[0])
    result = sympy.Add(*(nbytes(root, box, facts) for root, box in boxes.items()))
    return expand(facts.settle(expand(result), ()))


def nbytes(root: Root, box: Box, facts: Facts) -> Expr:
    """Return the bytes of an array's box."""
    count: Expr = Integer(root.itemsize)
    for size, part in zip(root.dims, box, strict=True):
        count *= size if part is None else _extent(size, expand(part[1] - part[0] + 1), facts)
    return expand(facts.settle(expand(count), ()))


def around(one: Box | None, other: Box) -> Box:
    """Return the smallest box around two."""
    return other if one is None else [_around(a, b) for a, b in zip(one, other, strict=True)]


def _extent(size: Expr, extent: Expr, facts: Facts) -> Expr:
    """Return the length of a box along an axis; an index that is computed is taken to be inside of the array."""
    return size if facts.holds(extent - size, ()) else facts.settle(Max(0, extent), ())


def box_of(array: Array, loops: tuple[Loop, ...], study: Study, facts: Facts) -> tuple[Box, bool]:
    """Return the box around what a view touches in all turns of some loops, and whether it depends on the data."""
    if array.axes is None:
        return [None] * len(array.root.dims), True
    parts = [_part(axis, array, loops, study, facts) for axis in array.axes]
    return [part for part, _ in parts], any(depends for _, depends in parts)


def _part(axis: Axis, array: Array, loops: tuple[Loop, ...], study: Study, facts: Facts) -> tuple[Part, bool]:
    if axis.offset is None:
        return None, True
    first = last = expand(axis.offset)
    if axis.dim is not None:
        if not axis.step.is_Integer:
            return None, False
        length = expand(axis.step * (array.dims[axis.dim] - 1))
        first, last = (first, last + length) if axis.step > 0 else (first + length, last)
    if first.has(Element):
        return None, True
    for loop in reversed(loops):
        ends = [_end(end, loop, study, up) for end, up in ((first, False), (last, True))]
        if ends[0] is None or ends[1] is None:
            return None, False
        first, last = ends
    if sympy.Tuple(first, last).has(Element, *study.estimates):
        return None, False
    return (facts.settle(first, ()), facts.settle(last, ())), False


def _end(end: Expr, loop: Loop, study: Study, up: bool) -> Expr | None:
    """Return the least or greatest value of an index over the turns of a loop."""
    if loop.counter not in end.free_symbols:
        return end
    if not end.is_polynomial(loop.counter) or sympy.degree(end, loop.counter) != 1:
        return None
    slope = end.coeff(loop.counter, 1)
    if not slope.is_Integer or loop.trips.has(*study.estimates):
        return None
    at = loop.trips - 1 if (slope > 0) == up else Integer(0)
    return expand(end.xreplace({loop.counter: at}))


def _around(one: Part, other: Part) -> Part:
    if one is None or other is None:
        return None
    return Min(one[0], other[0]), Max(one[1], other[1])
