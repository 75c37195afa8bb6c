"""Views of arrays: what an index, a slice or a transposition shows of an array's memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sympy
from sympy import Expr, Integer, Max, Min, ceiling

from asafess.compiler.kernel.values import NEWAXIS, Array, Axis, NotCountedError, Slice


def as_slice(item: Slice, n: Expr) -> tuple[Expr | None, Expr, Expr]:
    """Return first index (None: not known), step and length of a slice of an axis of length `n`."""
    if item.length is not None:
        return None, Integer(1), item.length
    step = Integer(1) if item.step is None else item.step
    if not step.is_Integer or step == 0:
        raise NotCountedError("a slice whose step is not known before the kernel runs")
    if step < 0:
        if item.start is not None or item.stop is not None:
            raise NotCountedError("a slice with a negative step and bounds")
        return n - 1, step, ceiling(n / -step)
    start = Integer(0) if item.start is None else _bound(item.start, n)
    stop = n if item.stop is None else _bound(item.stop, n)
    return start, step, Max(0, ceiling((stop - start) / step))


def _bound(x: Expr, n: Expr) -> Expr:
    """Return a bound of a slice, counted from the start and cut to the axis."""
    if from_end(x):
        return Max(0, n + x)
    return x if x == 0 or x == n else Min(x, n)


def from_end(x: Expr) -> bool:
    """Say whether an index is negative for all sizes, so that it counts from the end."""
    if x.is_number:
        return bool(x < 0)
    terms = sympy.Add.make_args(sympy.expand(x))
    return all(term.as_coeff_Mul()[0] < 0 for term in terms)


def pick(array: Array, items: list[Any]) -> Array:
    """Index an array with integers (None where unknown), slices, `NEWAXIS` and `...`; no dimensions: one element."""
    count = sum(1 for item in items if item is not NEWAXIS and item is not Ellipsis)
    if count > len(array.dims):
        raise NotCountedError("more indices than the array has dimensions")
    if not any(item is Ellipsis for item in items):
        items = [*items, Ellipsis]
    at = next(at for at, item in enumerate(items) if item is Ellipsis)
    full = Slice()
    items = [*items[:at], *[full] * (len(array.dims) - count), *items[at + 1 :]]

    dims: list[Expr] = []
    moved: dict[int, tuple[Expr | None, Expr, int | None]] = {}  # old dim → offset, step, new dim
    old = 0
    for item in items:
        if item is NEWAXIS:
            dims.append(Integer(1))
            continue
        n = array.dims[old]
        if isinstance(item, Slice):
            start, step, length = as_slice(item, n)
            moved[old] = (start, step, len(dims))
            dims.append(length)
        else:
            if isinstance(item, Expr) and from_end(item):
                item = n + item
            moved[old] = (item if isinstance(item, Expr) else None, Integer(0), None)
        old += 1
    axes = None
    if array.axes is not None:
        axes = tuple(_through(axis, moved) for axis in array.axes)
    return replace(array, dims=tuple(dims), axes=axes)


def _through(axis: Axis, moved: dict[int, tuple[Expr | None, Expr, int | None]]) -> Axis:
    if axis.dim is None:
        return axis
    offset, step, dim = moved[axis.dim]
    if axis.offset is None or offset is None:
        return Axis(None, Integer(1), dim)
    return Axis(axis.offset + axis.step * offset, axis.step * (step or Integer(1)), dim)


def permuted(array: Array, order: tuple[int, ...]) -> Array:
    """Return a view with its axes in another order."""
    dims = tuple(array.dims[old] for old in order)
    axes = None
    if array.axes is not None:
        axes = tuple(a if a.dim is None else replace(a, dim=order.index(a.dim)) for a in array.axes)
    return replace(array, dims=dims, axes=axes)


def broadcast(shapes: list[tuple[Expr, ...]]) -> tuple[Expr, ...]:
    """Return the shape of an operation on several arrays; sizes that meet are taken to be equal, or 1."""
    width = max(map(len, shapes), default=0)
    dims = []
    for at in range(-width, 0):
        sizes = [shape[at] for shape in shapes if len(shape) >= -at and shape[at] != 1]
        dims.append(sizes[0] if sizes else Integer(1))
    return tuple(dims)
