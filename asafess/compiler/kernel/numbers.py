"""From expressions to numbers: evaluating sums that have no closed form, and means over real index arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Function, Sum, Symbol, ceiling, floor

from asafess.compiler.kernel.study import Estimate, Loop
from asafess.compiler.kernel.values import Element, NotCountedError

#: turns of loops that a mean is taken over at most, chosen at random where there are more: some dozens of MB
POINTS = 1_000_000
#: turns that a sum without a closed form has at most
LONGEST = 100_000_000
_MODULES: list[Any] = [
    {
        "Step": lambda x: np.greater_equal(x, 0) * 1.0,
        "Equal": lambda x: np.equal(x, 0) * 1.0,
        "Element": lambda array, *position: _taken(np.asarray(array), position),
        "Quotient": np.floor_divide,
        "Below": lambda a, b: np.less(a, b) * 1.0,
        "Same": lambda a, b: np.equal(a, b) * 1.0,
        "Truncated": np.trunc,
    },
    "numpy",
]


def _taken(array: np.ndarray, position: tuple[Any, ...]) -> np.ndarray:
    """Return elements; positions that a condition keeps from being read may lie outside."""
    inside = [np.clip(np.asarray(at).astype(np.int64), 0, n - 1) for at, n in zip(position, array.shape, strict=True)]
    found = array[tuple(inside)]
    return found.astype(float) if found.dtype == bool else found


class Quotient(Function):
    """⌊p / q⌋ without rounding p / q first."""


def _whole(expr: Expr) -> Expr:
    """Return the same with quotients of whole numbers that no rounding error can push over an integer."""

    def quotient(x: Expr) -> Expr:
        return Quotient(*sympy.fraction(sympy.together(x)))

    return expr.replace(floor, quotient).replace(ceiling, lambda x: -quotient(-x))


def number(expr: Expr) -> float:
    """Return the value of an expression without free symbols.

    Examples
    --------
    >>> from sympy.abc import t
    >>> number(Sum(sympy.Max(t - 2, 0), (t, 0, 4)))
    3.0
    """
    for each in expr.atoms(Sum):
        if not each.free_symbols:
            expr = expr.xreplace({each: sympy.sympify(_summed(each))})
    return float(expr)


def _summed(each: Sum) -> Any:
    inner, (t, low, high) = each.function, each.limits[-1]
    if len(each.limits) > 1:  # nested sums are one with several limits
        inner = Sum(inner, *each.limits[:-1])
    low, high = round(number(low)), round(number(high))
    if high < low:
        return 0
    if inner.has(Sum):
        return sum(sympy.nsimplify(number(inner.xreplace({t: sympy.Integer(at)}))) for at in range(low, high + 1))
    if high - low >= LONGEST:
        raise NotCountedError(f"a sum of {high + 1 - low:,} terms has no closed form; {LONGEST:,} are added up at most")
    at_turns = sympy.lambdify([t], _whole(inner), _MODULES)
    found = 0.0
    for first in range(low, high + 1, POINTS):
        turns = np.arange(first, min(first + POINTS, high + 1), dtype=float)
        found += float(np.sum(np.broadcast_to(at_turns(turns), turns.shape)))
    return sympy.nsimplify(found)


def mean(estimate: Estimate, values: Mapping[Any, Any], estimates: Mapping[Symbol, Estimate]) -> float | None:
    """Return the mean of what an estimate stands for over the loops around it, or None where it can't be had.

    Parameters
    ----------
    estimate : Estimate
        What to take the mean of.
    values : mapping
        Sizes, scalars and the arrays themselves, by symbol.
    estimates : mapping
        The other estimates, for loops that depend on the data themselves.
    """
    if estimate.expr is None:
        return None
    points: dict[Any, Any] = {}
    count = 1
    choice = np.random.default_rng(0)
    for loop in estimate.loops:
        turns = _turns(loop, points, values, estimates)
        if turns is None:
            return None
        turns = np.maximum(0, np.broadcast_to(turns, count).astype(np.int64))
        total = int(turns.sum())
        ends = np.cumsum(turns)
        chosen = np.arange(total) if total <= POINTS else np.sort(choice.integers(0, total, POINTS))
        outer = np.searchsorted(ends, chosen, side="right")
        points = {symbol: at[outer] for symbol, at in points.items()}
        points[loop.counter] = chosen - (ends - turns)[outer]
        count = len(chosen)
    if count == 0:
        return 0.0
    found = _at(estimate.expr, points, values)
    if found is None:
        return None
    kept = np.ones(count, dtype=bool)
    for condition in estimate.given:
        holds = _at(condition, points, values)
        if holds is None:
            return None
        kept &= np.asarray(holds) > 0
    found = np.broadcast_to(found, count)[kept]
    if not found.size:
        return 0.0
    return float(np.mean(found if estimate.share else np.maximum(found, 0)))


def _turns(loop: Loop, points: Any, values: Mapping[Any, Any], estimates: Mapping[Symbol, Estimate]) -> Any:
    trips = loop.trips
    if trips in estimates:
        trips = estimates[trips].expr
    return None if trips is None else _at(trips, points, values)


def _at(expr: Expr, points: Mapping[Any, Any], values: Mapping[Any, Any]) -> Any:
    known = {**values, **points}
    symbols = sorted(expr.free_symbols, key=str)
    if any(symbol not in known for symbol in symbols):
        return None
    for element in expr.atoms(Element):
        if element.args[0] not in known:
            return None
    return sympy.lambdify(symbols, _whole(expr), _MODULES)(*(known[symbol] for symbol in symbols))
