"""The result of `cost`: expressions, and numbers for sizes or for real arguments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Symbol

from asafess.compiler.kernel.bounded import TooManyStepsError, bounded
from asafess.compiler.kernel.evaluated import evaluated
from asafess.compiler.kernel.flop import BYTES, Counts, flop_of
from asafess.compiler.kernel.numbers import mean, number
from asafess.compiler.kernel.result import Results, each
from asafess.compiler.kernel.study import Estimate, Nest
from asafess.compiler.kernel.traffic import Sweep, traffic
from asafess.compiler.kernel.values import sizes_in


@dataclass(frozen=True)
class LoopCost:
    """What one nest of loops costs."""

    line: int
    loops: str
    flop: Expr
    read: Expr
    written: Expr


@dataclass(frozen=True)
class Cost:
    """What a kernel costs.

    Sizes are named after the arguments: `a0` and `a1` are the sizes of the axes of `a`.
    """

    name: str
    #: floating-point operations by name: add (and subtract), mul, div, sqrt, exp, …
    operations: dict[str, Expr]
    #: bytes read from arrays, and written to them, each access counted
    read: Expr
    written: Expr
    #: distinct bytes touched, at most
    footprint: Expr
    per_loop: tuple[LoopCost, ...]
    #: names of the numbers that depend on the data → what they are
    estimated: dict[str, str]
    #: the closed forms hold where these are ≥ 0 and each size is ≥ 1; `evaluate` always holds
    valid_where: tuple[Expr, ...]
    _arguments: tuple[str, ...] = field(repr=False)
    #: pairs of sizes that are taken to be equal
    equal: tuple[tuple[Expr, Expr], ...]
    _sizes: tuple[Expr, ...] = field(repr=False)
    _nest: Nest = field(repr=False)
    _sweeps: tuple[Sweep, ...] = field(repr=False)
    _estimates: dict[Symbol, Estimate] = field(repr=False)
    _result: Results = field(repr=False, default=None)

    @property
    def flop(self) -> Expr:
        """Floating-point operations; an elementary function is as many as evaluating it takes (`operation_counts`)."""
        return flop_of(self.operations)

    @property
    def bytes(self) -> Expr:
        """Bytes read and written."""
        return sympy.expand(self.read + self.written)

    @property
    def intensity(self) -> Expr:
        """Flop per byte read or written; a plain quotient where cancelling it takes too many steps."""
        if self.bytes == 0:
            return sympy.nan
        try:
            return bounded(self.name, sympy.cancel, self.flop / self.bytes)
        except TooManyStepsError:
            return self.flop / self.bytes

    @property
    def symbols(self) -> tuple[str, ...]:
        """Names of the sizes, scalars and estimated numbers that the cost depends on."""
        exprs = (*self.operations.values(), self.read, self.written, self.footprint, *self.valid_where, *self._sizes)
        return tuple(sorted({symbol.name for expr in exprs for symbol in sizes_in(expr)}))

    def evaluate(self, **numbers: Any) -> Counts:
        """Return numbers for given sizes.

        Parameters
        ----------
        **numbers
            By name: each of `symbols`; or the shape of an array argument by its name.

        Raises
        ------
        ValueError
            When a number is missing, with what it is.
        NotCountedError
            When adding up takes too many steps.

        Examples
        --------
        >>> from asafess.compiler import cost
        >>> def scale(a, x):
        ...     for i in range(a.size):
        ...         a[i] *= x
        >>> counts = cost(scale, "float64[:]", "float64").evaluate(a=(10,))
        >>> counts.flop, counts.bytes
        (10.0, 160.0)
        """
        found: Counts = bounded(self.name, self._evaluate, numbers)
        return found

    def _evaluate(self, numbers: dict[str, Any]) -> Counts:
        given: dict[str, Any] = {}
        for name, value in numbers.items():  # a shape, or a tuple argument
            parts = value.shape if isinstance(value, np.ndarray) else value if isinstance(value, tuple) else None
            given |= {name: value} if parts is None else {f"{name}{at}": part for at, part in enumerate(parts)}
        missing = [name for name in self.symbols if name not in given]
        if missing:
            what = "; ".join(f"{name}: {self.estimated.get(name, 'a size or scalar argument')}" for name in missing)
            raise ValueError(f"{self.name}: evaluate needs {', '.join(missing)} ({what})")
        values = {symbol: sympy.nsimplify(given[symbol.name]) for symbol in self._all_symbols() if symbol.name in given}
        for one, other in self.equal:
            pair = [each.xreplace(values) for each in (one, other)]
            if pair[0] != pair[1] and not (pair[0] - pair[1]).free_symbols:
                raise ValueError(f"{self.name} is counted for {one} = {other}, not {pair[0]} and {pair[1]}")
        closed = {**self.operations, **dict(zip(BYTES, (self.read, self.written), strict=True))}
        try:
            done = evaluated(closed if self._holds(values) else None, self._nest, values)
        except ValueError as error:
            raise type(error)(f"{self.name}: {error}") from None
        read, written = (done.pop(name, 0.0) for name in BYTES)
        touched = max(0.0, min(number(self.footprint, values), read + written))
        operations = {name: count for name, count in done.items() if count}
        moved = min(traffic(self._sweeps, touched, values), read + written)
        return Counts(operations, read, written, touched, moved)

    def bind(self, *args: Any, **numbers: Any) -> Counts:
        """Return numbers for real arguments; means of what depends on the data are taken from index arrays.

        Parameters
        ----------
        *args
            What the kernel would be called with. What has a shape, but is no array, stands for one of unknown content.
        **numbers
            Estimated numbers that can't be had from the arguments.

        Raises
        ------
        ValueError
            When an estimated number can't be had and is not given.
        NotCountedError
            When adding up takes too many steps.
        """
        found: Counts = bounded(self.name, self._bind, args, numbers)
        return found

    def result(self, *args: Any) -> Results:
        """Return what the kernel returns for real arguments: shape and data type, in a tuple where it returns one.

        Examples
        --------
        >>> import numpy as np
        >>> from asafess.compiler import cost
        >>> def outer(a, b):
        ...     return np.empty((a.size, b.size + 1)), 1.0
        >>> a, b = np.ones(3), np.ones(4)
        >>> table, one = cost(outer, a, b).result(a, b)
        >>> table.dims, str(table.dtype), one.dims
        ((3, 5), 'float64', ())
        """
        given, _ = self._sizes_and_scalars(args)
        found: Results = bounded(self.name, each, self._result, lambda one: one.at(given))
        return found

    def _bind(self, args: tuple[Any, ...], numbers: dict[str, Any]) -> Counts:
        given, arrays = self._sizes_and_scalars(args)
        symbols = {symbol.name: symbol for symbol in self._all_symbols()}
        values: dict[Symbol, Any] = {Symbol(name): array for name, array in arrays.items()}
        values |= {symbols[name]: value for name, value in given.items() if name in symbols}
        for symbol, estimate in self._estimates.items():
            if symbol.name in self.estimated and symbol.name not in numbers:
                found = mean(estimate, values, self._estimates)
                if found is not None:
                    given[symbol.name] = found
        given = {name: value for name, value in given.items() if name in symbols}
        return self._evaluate({**given, **numbers})

    def _sizes_and_scalars(self, args: tuple[Any, ...]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the numbers that are known from real arguments, and the arrays, by name."""
        if len(args) > len(self._arguments):
            raise ValueError(f"{self.name} takes {len(self._arguments)} arguments, not {len(args)}")
        given: dict[str, Any] = {}
        arrays: dict[str, np.ndarray] = {}
        arguments = list(zip(self._arguments, args, strict=False))  # others have their defaults
        while arguments:
            name, value = arguments.pop()
            if isinstance(value, tuple):
                arguments += [(f"{name}{at}", part) for at, part in enumerate(value)]
            elif isinstance(value, int | float | bool | np.number | np.bool_):
                given[name] = value
            elif isinstance(shape := getattr(value, "shape", None), tuple):
                given |= {f"{name}{at}": size for at, size in enumerate(shape)}
                if isinstance(value, np.ndarray):
                    arrays[name] = value
        return given, arrays

    def _all_symbols(self) -> set[Symbol]:
        found: set[Any] = set(self._estimates)
        for estimate in self._estimates.values():
            for expr in (estimate.expr, *estimate.given):
                found |= sizes_in(expr) if expr is not None else set()
            for loop in estimate.loops:
                found |= sizes_in(loop.trips)
        pairs = [each for pair in self.equal for each in pair]
        for expr in (
            *self._nest.exprs(),
            *self.operations.values(),
            self.read,
            self.written,
            self.footprint,
            *self.valid_where,
            *self._sizes,
            *pairs,
        ):
            found |= sizes_in(expr)
        return found | self._in_sweeps()

    def _in_sweeps(self) -> set[Any]:
        return set().union(*(sweep.sizes for sweep in self._sweeps))

    def _holds(self, values: dict[Symbol, Any]) -> bool:
        names = set(self.symbols)
        sizes = all(value >= 1 for symbol, value in values.items() if symbol.is_integer and symbol.name in names)
        return sizes and all(expr.xreplace(values) >= 0 for expr in self.valid_where)

    def __str__(self) -> str:
        rows = [
            ("flop", self.flop),
            *((f"  {name}", count) for name, count in self.operations.items()),
            ("read", self.read),
            ("written", self.written),
            ("footprint", self.footprint),
            ("intensity", self.intensity),
        ]
        lines = [f"cost of {self.name}", *(f"  {name:<12} {_neat(expr)}" for name, expr in rows)]
        lines += [f"  line {row.line}, {row.loops}: {_neat(row.flop)} flop, "
                  f"{_neat(row.read)} read, {_neat(row.written)} written" for row in self.per_loop]  # fmt: skip
        lines += [f"  {name}: {what} (estimated)" for name, what in self.estimated.items()]
        if self.equal:
            lines.append("  where " + ", ".join(f"{one} = {other}" for one, other in self.equal))
        if self.valid_where:
            lines.append("  where " + ", ".join(f"{expr} >= 0" for expr in self.valid_where))
        return "\n".join(lines)


def _neat(expr: Expr) -> str:
    terms = len(sympy.Add.make_args(expr))
    if expr.count_ops() > 150:
        return f"({terms} terms, see Cost.operations, read, written; evaluate gives numbers)"
    return str(sympy.factor_terms(expr)) if terms > 12 or expr.has(sympy.Sum) else str(sympy.factor(expr))
