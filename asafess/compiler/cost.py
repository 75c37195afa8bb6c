"""What a Numba kernel costs, as expressions over the sizes of its arrays and its scalar arguments.

`cost` reads the kernel's typed intermediate representation; it neither compiles nor runs it, and leaves it as it is.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import sympy
from numba.core import types
from sympy import Expr, Integer, Symbol

from asafess.compiler.kernel.bounded import TooManyStepsError, bounded
from asafess.compiler.kernel.count import counted
from asafess.compiler.kernel.flop import BYTES, flop_of
from asafess.compiler.kernel.footprint import footprint
from asafess.compiler.kernel.frame import Frame
from asafess.compiler.kernel.ir import argument_types, infer, python_function
from asafess.compiler.kernel.kernel_cost import Cost, LoopCost
from asafess.compiler.kernel.result import each, result
from asafess.compiler.kernel.study import Estimate, Nest, Study
from asafess.compiler.kernel.sums import Facts, total, total_without_cases
from asafess.compiler.kernel.traffic import sweeps
from asafess.compiler.kernel.values import Element, NotCountedError, fresh, sizes_in


def cost(function: Any, *given: Any) -> Cost:
    """Return what a Numba kernel costs, from its typed intermediate representation; it is not run.

    Parameters
    ----------
    function : numba dispatcher or function
        A plain Python function is read as `numba.njit` would.
    *given
        One for each argument: a Numba type, a string like ``"float64[:, :]"``, a NumPy dtype, or an example. May be
        left out where the dispatcher has exactly one signature. What has a shape and a dtype, but is no array, stands
        for a C-contiguous array of these; for a number where it has no axes.

    Returns
    -------
    Cost
        Expressions over the sizes of the arrays and the scalar arguments. Where telling the cases of its bounds and
        conditions apart takes too many steps, sums are left in them.

    Raises
    ------
    NotCountedError
        When something in it can't be counted, or reading it takes too many steps; the message names line and
        construct.

    Examples
    --------
    >>> def triad(a, b, c, x):
    ...     for i in range(a.size):
    ...         a[i] = b[i] + x * c[i]
    >>> found = cost(triad, "float64[:]", "float64[:]", "float64[:]", "float64")
    >>> found.flop, found.bytes, found.intensity
    (2*a0, 24*a0, 1/12)
    """
    name = getattr(function, "__name__", None) or type(function).__name__
    try:
        try:
            found: Cost = bounded(name, _cost, function, given, True)
        except TooManyStepsError:
            found = bounded(name, _cost, function, given, False)
    except NotCountedError:
        raise
    except Exception as error:  # an unforeseen construct may trip over anything
        raise NotCountedError(f"{name} can't be read ({type(error).__name__}: {error})") from error
    return found


def try_cost(function: Any, *given: Any) -> Cost | None:
    """Return what `cost` does, or None where it would raise, whatever it is given."""
    try:
        return cost(function, *given)
    except Exception:  # it may be anything, and Numba may stumble over it anywhere
        return None


def _cost(function: Any, given: tuple[Any, ...], cases: bool) -> Cost:
    """Read a kernel; `cases`: in closed forms, wherever they can be found."""
    kinds = argument_types(function, given)
    typed = infer(python_function(function), kinds)
    study = Study()
    values = tuple(_argument(name, kind) for name, kind in zip(typed.arg_names, kinds, strict=True))
    frame = Frame(typed, values, study)
    nest = counted(frame)
    gives = result(frame)
    facts = Facts()
    rows, counts = _rows(nest, facts, cases)
    touched, swept = footprint(study, facts), sweeps(study, facts)
    names = {symbol.name for expr in counts.values() for symbol in sizes_in(expr)}
    short = study.names([*counts.values(), touched], names | set(typed.arg_names))
    counts = {name: expr.xreplace(short) for name, expr in counts.items() if expr != 0}
    written = {root.name for root in study.written}
    estimates = {
        short.get(symbol, symbol): _renamed(estimate, short, written) for symbol, estimate in study.estimates.items()
    }
    return Cost(
        name=typed.name,
        read=counts.pop("read", Integer(0)),
        written=counts.pop("written", Integer(0)),
        operations=counts,
        footprint=touched.xreplace(short),
        per_loop=tuple(
            LoopCost(row.line, row.loops, *(e.xreplace(short) for e in (row.flop, row.read, row.written)))
            for row in rows
        ),
        estimated={short[symbol].name: study.estimates[symbol].what for symbol in short},
        valid_where=tuple(sorted((expr.xreplace(short) for expr in facts.assumed), key=str)),
        _arguments=typed.arg_names,
        equal=tuple(sorted(study.equal, key=str)),
        _sizes=tuple(sorted(facts.sizes - set(study.estimates), key=str)),
        _nest=nest.replaced(short),
        _sweeps=tuple(sweep.replaced(short) for sweep in swept),
        _estimates=estimates,
        _result=each(gives, lambda one: one.replaced(short)),
    )


def _argument(name: str, kind: Any) -> Any:
    if isinstance(kind, types.Array):
        dims = tuple(Symbol(f"{name}{at}", integer=True, nonnegative=True) for at in range(kind.ndim))
        return fresh(name, dims, kind.dtype, argument=True)
    if isinstance(kind, types.IntegerLiteral):
        return Integer(kind.literal_value)
    if isinstance(kind, types.Integer | types.Boolean):
        return Symbol(name, integer=True)
    if isinstance(kind, types.BaseTuple):
        parts: Any = kind
        return tuple(_argument(f"{name}{at}", part) for at, part in enumerate(parts))
    if isinstance(kind, types.Omitted):
        return Integer(kind.value) if isinstance(kind.value, int) else None
    return None


def _rows(nest: Nest, facts: Facts, cases: bool) -> tuple[list[LoopCost], dict[str, Expr]]:
    """Return the costs of each outermost nest of loops, and of everything."""

    def settled(expr: Expr) -> Expr:
        return facts.settle(sympy.expand(expr), ()) if cases else expr

    rows, counts = [], {key: sympy.expand(value) for key, value in nest.counts.items()}
    for weight, inner in nest.inside:
        added = total(inner, facts) if cases else total_without_cases(inner)
        part = {key: settled(weight * e) for key, e in added.items()}
        if inner.loop is not None:
            read, written = (part.get(key, Integer(0)) for key in BYTES)
            row = LoopCost(inner.loop.line, ", ".join(_names(inner)), flop_of(part), read, written)
            rows.append(row)
        for key, value in part.items():
            counts[key] = counts.get(key, Integer(0)) + value
    return rows, {key: settled(value) for key, value in counts.items()}


def _names(nest: Nest) -> list[str]:
    names = [nest.loop.name] if nest.loop is not None else []
    for _, inner in nest.inside:
        names += _names(inner)
    return list(dict.fromkeys(names))


def _renamed(estimate: Estimate, short: dict[Symbol, Symbol], written: set[str]) -> Estimate:
    """Return an estimate with short names; without its expression if the kernel writes to what it is read from."""
    expr = estimate.expr
    read = {element.args[0].name for e in (expr, *estimate.given) if e is not None for element in e.atoms(Element)}
    if read & written:
        expr = None
    loops = tuple(Nest(loop).replaced(short).loop for loop in estimate.loops)
    return Estimate(
        short.get(estimate.symbol, estimate.symbol),
        estimate.what,
        None if expr is None else expr.xreplace(short),
        tuple(loop for loop in loops if loop is not None),
        tuple(condition.xreplace(short) for condition in estimate.given),
        estimate.share,
    )


class _Callable(ModuleType):
    """A module that may be called: `asafess.compiler.cost` is both its name and that of its function."""

    def __call__(self, function: Any, *given: Any) -> Cost:
        return cost(function, *given)


sys.modules[__name__].__class__ = _Callable
