"""Counts of a nest of loops as numbers, by the first way that gets there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sympy import Expr, Symbol

from asafess.compiler.kernel.numbers import number
from asafess.compiler.kernel.study import Nest
from asafess.compiler.kernel.sums import Facts, total, total_without_cases
from asafess.compiler.kernel.values import NotCountedError, sizes_in

#: operations in closed forms that are not the first choice, since putting numbers into them takes seconds; those of
#: the kernels that people write have under a hundred
LARGE = 1000


def evaluated(closed: Mapping[str, Expr] | None, nest: Nest, values: Mapping[Symbol, Any]) -> dict[str, float]:
    """Return the counts of a nest for given sizes.

    Parameters
    ----------
    closed : mapping of str to sympy.Expr or None
        Closed forms of the counts; None where they don't hold for these sizes.
    nest : Nest
        What they were found for.
    values : mapping
        Numbers by symbol.

    Raises
    ------
    ValueError
        When some numbers are missing.
    NotCountedError
        When there are too many turns to go through them, and no closed form.
    """
    ways: list[Callable[[], Mapping[str, Expr]]] = [
        lambda: total_without_cases(nest.replaced(dict(values))),  # the quicker, the fewer turns there are
        lambda: total(nest.replaced(dict(values)), Facts()),
    ]
    if closed is not None:
        large = sum(int(expr.count_ops()) for expr in closed.values()) > LARGE
        ways.insert(1 if large else 0, lambda: closed)
    for way in ways:
        counts = way()
        unknown = {str(symbol) for expr in counts.values() for symbol in sizes_in(expr) - values.keys()}
        if unknown:
            error = ValueError(f"evaluate needs {', '.join(sorted(unknown))} for these sizes")
            continue
        try:
            return {name: number(expr, values) for name, expr in counts.items()}
        except NotCountedError as too_long:
            error = too_long
    raise error
