"""From expressions to numbers, and means over real index arrays."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Symbol, log

from asafess.compiler.kernel.numpy_code import numpy_function
from asafess.compiler.kernel.study import Estimate, Loop
from asafess.compiler.kernel.turns import Turns, outermost
from asafess.compiler.kernel.values import Element

#: turns of loops that a mean is taken over at most, chosen at random where there are more: some dozens of MB
POINTS = 1_000_000


def number(expr: Expr, values: Mapping[Symbol, Any] = MappingProxyType({})) -> float:
    """Return the value of an expression.

    Parameters
    ----------
    expr : sympy.Expr
        What is asked for.
    values : mapping
        Numbers for all of its symbols.

    Examples
    --------
    >>> from sympy import Sum
    >>> from sympy.abc import n, t
    >>> number(Sum(sympy.Max(t - 2, 0), (t, 0, n)), {n: sympy.Integer(4)})
    3.0
    """
    known: dict[Any, Any] = dict(values)
    for each in outermost(expr):
        # putting numbers into a sum makes SymPy simplify it; of logarithms it knows which are whole
        added = Turns().added(each.xreplace(values)) if each.has(log) else Turns().added(each, values)
        known[each] = sympy.Rational(added)
    return float(expr.xreplace(known))


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
    return numpy_function(symbols, expr)(*(known[symbol] for symbol in symbols))
