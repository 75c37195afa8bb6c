"""Python's own values: numbers, strings and containers of such, which are computed with as they are.

What is computed with them is bounded: a repeated list or a power must not hold the scheduler up.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from asafess.compiler.abstract.values import Unknown

#: whole numbers that are computed with, items of containers, and exponents, are not larger
LARGEST, MOST_ITEMS, POWER = 1 << 64, 1000, 64

BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}
UNARY: dict[type, Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
    ast.Not: operator.not_,
}
COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}


def own(value: Any) -> bool:
    """Say whether a value is Python's own, so that it is what it will be, and no huge container.

    Examples
    --------
    >>> own((1, slice(None, 2), ["a", 2.5])), own(len), own([0] * 2000)
    (True, False, False)
    """
    stack = [value]
    for _ in range(MOST_ITEMS):
        if not stack:
            return True
        one = stack.pop()
        if type(one) in (tuple, list) and len(one) <= MOST_ITEMS:
            stack += one
        elif type(one) is slice:
            stack += one.start, one.stop, one.step
        elif not (one is None or one is Ellipsis or type(one) in (bool, int, float, complex, str, range)):
            return False
    return False


def limited(value: Any) -> Any:
    """Return a container; raises `Unknown` where it holds very many things, each as often as it is in there."""
    stack = [value]
    for _ in range(MOST_ITEMS):
        if not stack:
            return value
        one = stack.pop()
        if type(one) in (tuple, list, dict):
            items = list(one.values()) if type(one) is dict else one
            stack += items[: MOST_ITEMS + 1]
    raise Unknown(f"a container of more than {MOST_ITEMS} things")


def short(value: Any) -> bool:
    """Say whether a value is Python's own, and going over it is quick."""
    return own(value) and (not isinstance(value, range | str) or len(value) <= MOST_ITEMS)


def bounded(function: Any, left: Any, right: Any) -> bool:
    """Say whether computing with Python's own values is quick.

    Examples
    --------
    >>> bounded(operator.pow, 2, 10), bounded(operator.pow, 2, 10**9), bounded(operator.mul, [0], 10**9)
    (True, False, False)
    """
    whole = [value for value in (left, right) if isinstance(value, int)]
    if any(abs(value) > LARGEST for value in whole):
        return False
    if function in (operator.pow, operator.lshift) and whole:
        return not isinstance(right, int) or abs(right) <= POWER
    items = [len(value) for value in (left, right) if isinstance(value, str | tuple | list)]
    if function is operator.mul and items and whole:
        return items[0] * whole[0] <= MOST_ITEMS
    formats = function is operator.mod and isinstance(left, str)
    return not formats and sum(items) <= MOST_ITEMS
