"""What a statement of Numba's IR yields, and the work it does: the counting rules for everything but calls.

Counted as flop: additions, subtractions, multiplications, divisions, square roots and other elementary functions of
floating-point numbers, each as 1 (complex: 2 for a sum, 6 for a product, 11 for a quotient). Not counted: comparisons,
minimum and maximum, absolute value, negation, rounding, conversion, and all integer arithmetic. Bytes are counted for
each element that the program text reads or writes; scalars are free.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from numba.core import types
from sympy import Expr, Integer

from asafess.compiler.kernel.arithmetic import binary, fused, unary
from asafess.compiler.kernel.calls import called
from asafess.compiler.kernel.elements import item, loaded
from asafess.compiler.kernel.loops import iterated, sequence
from asafess.compiler.kernel.study import Work
from asafess.compiler.kernel.values import (
    Array,
    Known,
    Method,
    NotCountedError,
    Range,
)
from asafess.compiler.kernel.views import permuted, pick

if TYPE_CHECKING:
    from asafess.compiler.kernel.frame import Frame


def outcome(frame: Frame, statement: Any, label: int) -> tuple[Any, Work | None]:
    """Return what the right side of an assignment yields, and the work of it."""
    expr = statement.value
    rule = _RULES.get(expr.op)
    if rule is None:
        raise NotCountedError(f"`{expr.op}` is not followed")
    return rule(frame, statement, expr, label)


def _operator(frame: Frame, statement: Any, expr: Any, label: int) -> tuple[Any, Work | None]:
    if expr.fn in (operator.matmul, operator.imatmul):
        operands = [frame.use(expr.lhs, label), frame.use(expr.rhs, label)]
        return called(frame, operator.matmul, operands, {}, frame.type_of(statement.target), statement, label)
    return binary(frame, statement, expr, label)


def _getattr(frame: Frame, statement: Any, expr: Any, label: int) -> tuple[Any, Work | None]:
    value, name = frame.use(expr.value, label), expr.attr
    if isinstance(value, Array):
        plain: dict[str, Any] = {
            "shape": value.dims,
            "size": value.size,
            "ndim": Integer(len(value.dims)),
            "itemsize": Integer(value.itemsize),
            "nbytes": value.itemsize * value.size,
        }
        if name in plain:
            return plain[name], None
        if name == "T":
            return permuted(value, tuple(reversed(range(len(value.dims))))), None
        if name == "dtype":
            return Known(value.dtype), None
        if name == "flat":
            return Array((value.size,), value.dtype, value.root, None), None
        if name in ("real", "imag"):
            return Array(value.dims, frame.type_of(statement.target).dtype, value.root, None), None
        return Method(value, name), None
    if isinstance(value, Known):
        missing = object()
        found = getattr(value.value, name, missing)
        return (frame.constant(found) if found is not missing else Method(value, name)), None
    if isinstance(frame.type_of(expr.value), types.Number):
        return None, None
    raise NotCountedError(f"attribute `{name}` of {frame.type_of(expr.value)} is not followed")


def _call(frame: Frame, statement: Any, expr: Any, label: int) -> tuple[Any, Work | None]:
    if expr.vararg is not None or expr.varkwarg is not None:
        raise NotCountedError("a call with *args")
    function = frame.use(expr.func, label)
    args = [frame.use(arg, label) for arg in expr.args]
    kws = {name: frame.use(arg, label) for name, arg in expr.kws}
    return called(frame, function, args, kws, frame.type_of(statement.target), statement, label)


def _iternext(frame: Frame, statement: Any, expr: Any, label: int) -> tuple[Any, Work | None]:
    over, counter = iterated(frame, label), frame.counter(label)
    if isinstance(over, Range):
        known = isinstance(over.start, Expr) and isinstance(over.step, Expr)
        return ((over.start + over.step * counter) if known else None), None
    held = _turn(over.item if over else None, counter)
    return held, None


def _turn(item: Any, counter: Expr) -> Any:
    """Return what a loop over something holds in its turn `counter`."""
    if isinstance(item, tuple):
        return tuple(_turn(each, counter) for each in item)
    if isinstance(item, Range):
        return item.start + item.step * counter if item.start is not None and item.step is not None else None
    if isinstance(item, Array):
        place = pick(item, [counter])
        return place if place.dims else loaded(place)
    return item


def _tuple(frame: Frame, statement: Any, expr: Any, label: int) -> tuple[Any, Work | None]:
    return tuple(frame.use(item, label) for item in expr.items), None


def _same(frame: Frame, statement: Any, expr: Any, label: int) -> tuple[Any, Work | None]:
    return frame.use(expr.value, label), None


def _iterate(frame: Frame, statement: Any, expr: Any, label: int) -> tuple[Any, Work | None]:
    over = sequence(frame.use(expr.value, label))
    if over is None:
        raise NotCountedError(f"a loop over {frame.type_of(expr.value)} is not followed")
    return over, None


_RULES: dict[str, Any] = {
    "binop": _operator,
    "inplace_binop": _operator,
    "unary": unary,
    "arrayexpr": fused,
    "getitem": item,
    "static_getitem": item,
    "typed_getitem": item,
    "getattr": _getattr,
    "call": _call,
    "getiter": _iterate,
    "iternext": _iternext,
    "pair_first": _same,
    "pair_second": lambda *_: (None, None),
    "build_tuple": _tuple,
    "build_list": _tuple,
    "exhaust_iter": _same,
    "cast": _same,
    "null": lambda *_: (None, None),
    "undef": lambda *_: (None, None),
}
