"""Adding up turn by turn what has no closed form: sums, and sums in sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import sympy
from sympy import Dummy, Expr, Sum

from asafess.compiler.kernel.numpy_code import numpy_function
from asafess.compiler.kernel.values import NotCountedError

#: turns that are looked at at a time: some dozens of MB
POINTS = 1_000_000
#: turns that one sum has at most, those of the sums in it among them
LONGEST = 30_000_000


class Turns:
    """Adds up one sum, and counts its turns.

    Examples
    --------
    >>> from sympy.abc import t, u
    >>> Turns().added(Sum(sympy.Max(0, u - 1) * Sum(t, (t, 0, u)), (u, 0, 3)))
    15.0
    """

    def __init__(self) -> None:
        self._left = LONGEST
        self._compiled: dict[Expr, tuple[dict[Any, Dummy], list[Any], Callable[..., Any]]] = {}

    def added(self, each: Sum, values: Mapping[Any, Any] = MappingProxyType({})) -> float:
        """Return the value of a sum, with numbers for its free symbols.

        Raises
        ------
        NotCountedError
            When it has more than `LONGEST` turns.
        """
        return float(self._over(each, {symbol: np.array([float(value)]) for symbol, value in values.items()}, 1)[0])

    def _over(self, each: Sum, points: Mapping[Any, np.ndarray], count: int) -> np.ndarray:
        """Return the value of a sum at each of the points that the loops around it are at."""
        counter, low, high = each.limits[-1]
        inner = Sum(each.function, *each.limits[:-1]) if len(each.limits) > 1 else each.function
        first = np.rint(self._at(low, points, count)).astype(np.int64)
        turns = np.maximum(0, np.rint(self._at(high, points, count)).astype(np.int64) - first + 1)
        ends = np.cumsum(turns)
        total = int(ends[-1])
        self._left -= total
        if self._left < 0:
            raise NotCountedError(f"a sum of {total:,} terms has no closed form; {LONGEST:,} are added up at most")
        result = np.zeros(count)
        for begin in range(0, total, POINTS):
            chosen = np.arange(begin, min(begin + POINTS, total))
            outer = np.searchsorted(ends, chosen, side="right")
            inside = {symbol: at[outer] for symbol, at in points.items()}
            inside[counter] = (first + turns - ends)[outer] + chosen.astype(float)
            result += np.bincount(outer, self._at(inner, inside, len(chosen)), count)
        return result

    def _at(self, expr: Expr, points: Mapping[Any, np.ndarray], count: int) -> np.ndarray:
        """Return the values of an expression at points."""
        if expr not in self._compiled:
            inner = {each: Dummy() for each in outermost(expr)}
            # only those it needs: the same expression may stand in other loops, too
            symbols = [*(points.keys() & expr.free_symbols), *inner.values()]
            self._compiled[expr] = inner, symbols, numpy_function(symbols, expr, inner)
        inner, symbols, function = self._compiled[expr]
        known = {**points, **{name: self._over(each, points, count) for each, name in inner.items()}}
        return np.broadcast_to(np.asarray(function(*(known[symbol] for symbol in symbols)), dtype=float), count)


def outermost(expr: Expr) -> list[Sum]:
    """Return the sums in an expression that are in no other."""
    found = []
    walk = sympy.preorder_traversal(expr)
    for node in walk:
        if isinstance(node, Sum):
            found.append(node)
            walk.skip()
    return list(dict.fromkeys(found))
