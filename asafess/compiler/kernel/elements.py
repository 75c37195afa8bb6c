"""Reading and writing elements and parts of arrays: each access counts its bytes, a view nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sympy
from numba.core import ir, types
from sympy import Expr

from asafess.compiler.kernel.study import Work
from asafess.compiler.kernel.values import (
    NEWAXIS,
    Array,
    Element,
    Known,
    NotCountedError,
    Slice,
    fresh,
)
from asafess.compiler.kernel.views import pick

if TYPE_CHECKING:
    from asafess.compiler.kernel.frame import Frame


def stored(frame: Frame, statement: Any, label: int) -> Work:
    """Return the work of `target[index] = value`."""
    target = frame.use(statement.target, label)
    if not isinstance(target, Array):
        raise NotCountedError(f"assigning to an element of {frame.type_of(statement.target)} is not followed")
    index = statement.index if isinstance(statement, ir.SetItem) else statement.index_var
    place, work = _indexed(frame, target, _index(frame, statement, index, label), label, statement, copies=False)
    source = frame.use(statement.value, label)
    if isinstance(source, Array) and not (source.root == place.root and source == place):
        work.read(source, place.size)
    elif isinstance(source, Array):
        return work  # `a[i] += …` on a view: it was done in place
    return work.write(place)


def _index(frame: Frame, statement: Any, index: Any, label: int) -> list[Any]:
    value = frame.use(index, label) if index is not None else frame.constant(statement.index)
    return list(value) if isinstance(value, tuple) else [value]


def _indexed(
    frame: Frame, array: Array, items: list[Any], label: int, statement: Any, copies: bool
) -> tuple[Array, Work]:
    """Return the part of an array that an index shows, and the work of finding it."""
    work = Work()
    fancy = [item for item in items if isinstance(item, Array)]
    plain = [
        NEWAXIS if isinstance(item, Known) and item.value is None
        else Ellipsis if isinstance(item, Known) and item.value is Ellipsis
        else _cut(frame, item, label, statement) if isinstance(item, Slice)
        else Slice() if isinstance(item, Array)
        else item
        for item in items
    ]  # fmt: skip
    place = pick(array, plain)
    if not fancy:
        return place, work
    if len(fancy) > 1 or len(fancy[0].dims) != 1:
        raise NotCountedError("an index made of several arrays")
    work.read(fancy[0])
    at = sum(isinstance(item, Slice | Array) for item in items[: items.index(fancy[0])])
    length = fancy[0].dims[0]
    if isinstance(fancy[0].dtype, types.Boolean):
        length = frame.size(
            None,
            label,
            id(statement),
            f"mean number of elements that the mask on line {statement.loc.line} lets through",
        )
    dims = (*place.dims[:at], length, *place.dims[at + 1 :])
    return Array(dims, place.dtype, place.root, None), work


def _cut(frame: Frame, item: Slice, label: int, statement: Any) -> Slice:
    bounds: list[Any] = [item.start, item.stop]
    if any(isinstance(bound, Known) for bound in bounds) or any(
        isinstance(bound, Expr) and bound.has(Element) for bound in bounds
    ):
        known = all(isinstance(bound, Expr) for bound in bounds)
        length = bounds[1] - bounds[0] if known else None
        what = f"mean length of the slice on line {statement.loc.line}"
        return Slice(length=frame.size(length, label, (id(statement), id(item)), what))
    return item


def item(frame: Frame, statement: Any, expr: Any, label: int) -> tuple[Any, Work | None]:
    """Return an element or a part of an array or a tuple, and the work of reading it."""
    value = frame.use(expr.value, label)
    if isinstance(value, tuple):
        index = expr.index if expr.op == "static_getitem" else frame.use(expr.index, label)
        if isinstance(index, int | slice):
            return value[index], None
        if getattr(index, "is_Integer", False):
            return value[int(index)], None
        return (value[0] if all(item == value[0] for item in value) else None), None
    if not isinstance(value, Array):
        raise NotCountedError(f"an element of {frame.type_of(expr.value)} is not followed")
    index = expr.index if expr.op != "static_getitem" else expr.index_var
    items = _index(frame, expr, index, label)
    place, work = _indexed(frame, value, items, label, statement, copies=True)
    if any(isinstance(item, Array) for item in items):
        made = fresh(f"temporary {frame.study.unique('t').name}", place.dims, place.dtype)
        return made, work.read(place).write(made)
    if place.dims:
        return place, work
    work.read(place)
    return loaded(place), work


def loaded(place: Array) -> Expr | None:
    """Return an element of an array of integers that is an argument, as a function of its position."""
    if not place.root.argument or not isinstance(place.dtype, types.Integer) or place.axes is None:
        return None
    position = [axis.offset for axis in place.axes]
    if any(offset is None for offset in position):
        return None
    return Element(sympy.Symbol(place.root.name), *position)
