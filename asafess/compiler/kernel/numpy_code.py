"""Expressions as NumPy functions, for many points at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from types import MappingProxyType
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Function, Max, Min, ceiling, floor

_MODULES: list[Any] = [
    {
        "Step": lambda x: np.greater_equal(x, 0) * 1.0,
        "Equal": lambda x: np.equal(x, 0) * 1.0,
        "Element": lambda array, *position: _taken(np.asarray(array), position),
        "Quotient": np.floor_divide,
        "Greatest": lambda *args: reduce(np.maximum, args),
        "Least": lambda *args: reduce(np.minimum, args),
        "Below": lambda a, b: np.less(a, b) * 1.0,
        "Same": lambda a, b: np.equal(a, b) * 1.0,
        "Truncated": np.trunc,
    },
    "numpy",
]


class Quotient(Function):
    """⌊p / q⌋ without rounding p / q first."""


class Greatest(Function):
    """A maximum that SymPy does not try to simplify."""


class Least(Function):
    """A minimum that SymPy does not try to simplify."""


def numpy_function(
    symbols: Sequence[Any], expr: Expr, named: Mapping[Expr, Expr] = MappingProxyType({})
) -> Callable[..., Any]:
    """Return an expression as a function of arrays or numbers.

    Parameters
    ----------
    symbols : sequence of sympy.Symbol
        One for each argument.
    expr : sympy.Expr
        What is to be computed.
    named : mapping
        Parts of it for which a symbol stands.

    Examples
    --------
    >>> from sympy.abc import n, t
    >>> numpy_function([n, t], floor((n - t) / 3))(7, np.arange(4.0))
    array([2., 2., 1., 1.])
    """
    function: Callable[..., Any] = sympy.lambdify(symbols, _plain(expr, named), _MODULES)
    return function


def _plain(expr: Expr, named: Mapping[Expr, Expr]) -> Expr:
    """Return the same with quotients of whole numbers that no rounding error can push over an integer."""
    if expr in named:
        return named[expr]
    if not expr.args:
        return expr
    args = [_plain(arg, named) for arg in expr.args]
    if isinstance(expr, floor | ceiling):
        sign = 1 if isinstance(expr, floor) else -1
        return sign * Quotient(*sympy.fraction(sympy.together(sign * args[0])))
    return _PLAIN.get(expr.func, expr.func)(*args)


_PLAIN = {Max: Greatest, Min: Least}


def _taken(array: np.ndarray, position: tuple[Any, ...]) -> np.ndarray:
    """Return elements; positions that a condition keeps from being read may lie outside."""
    if 0 in array.shape:
        return np.zeros(np.broadcast_shapes(*map(np.shape, position)))
    inside = [np.clip(np.asarray(at).astype(np.int64), 0, n - 1) for at, n in zip(position, array.shape, strict=True)]
    found = array[tuple(inside)]
    return found.astype(float) if found.dtype == bool else found
