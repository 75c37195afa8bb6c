"""What one call of `cost` collects: symbols, what had to be estimated, and the tree of loops with their work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import sympy
from sympy import Expr, Integer, Symbol

from asafess.compiler.kernel.values import Array, NotCountedError, Root, Turn


@dataclass(frozen=True)
class Loop:
    """A loop: its counter runs from 0 to `trips` − 1."""

    counter: Symbol
    trips: Expr
    line: int
    name: str


@dataclass
class Work:
    """What a statement does: operations by name, bytes under "read" and "written", what it touches, and calls."""

    counts: dict[str, Expr] = field(default_factory=dict)
    touches: list[Array] = field(default_factory=list)
    calls: list[Nest] = field(default_factory=list)
    written: set[Root] = field(default_factory=set)

    def add(self, name: str, count: Any = 1) -> Work:
        """Count something more."""
        if count != 0:
            self.counts[name] = self.counts.get(name, Integer(0)) + count
        return self

    def read(self, array: Array, times: Any = None) -> Work:
        """Count reading each element of a view once, or so many elements of it."""
        self.touches.append(array)
        return self.add("read", array.itemsize * (array.size if times is None else times))

    def write(self, array: Array, times: Any = None) -> Work:
        """Count writing each element of a view once, or so many elements of it."""
        self.touches.append(array)
        self.written.add(array.root)
        return self.add("written", array.itemsize * (array.size if times is None else times))


@dataclass
class Nest:
    """The body of a loop, or of a function: its own counts for one turn, and what is inside."""

    loop: Loop | None = None
    counts: dict[str, Expr] = field(default_factory=dict)
    inside: list[tuple[Expr, Nest]] = field(default_factory=list)

    def add(self, counts: dict[str, Expr], weight: Expr) -> None:
        """Add counts that happen in the share `weight` of the turns."""
        for name, count in counts.items():
            self.counts[name] = self.counts.get(name, Integer(0)) + weight * count

    def exprs(self) -> Iterator[Expr]:
        """Return the expressions in it and in what is inside."""
        if self.loop is not None:
            yield sympy.sympify(self.loop.trips)
        yield from map(sympy.sympify, self.counts.values())
        for weight, inner in self.inside:
            yield sympy.sympify(weight)
            yield from inner.exprs()

    def replaced(self, values: dict[Any, Any]) -> Nest:
        """Return the same with symbols replaced."""
        loop = self.loop
        if loop is not None:
            loop = Loop(loop.counter, sympy.sympify(loop.trips).xreplace(values), loop.line, loop.name)
        counts = {name: sympy.sympify(count).xreplace(values) for name, count in self.counts.items()}
        return Nest(loop, counts, [(sympy.sympify(w).xreplace(values), n.replaced(values)) for w, n in self.inside])


@dataclass
class Estimate:
    """A number that depends on the data: what it is, and the expression whose mean it is, where there is one."""

    symbol: Symbol
    what: str
    expr: Expr | None
    loops: tuple[Loop, ...]
    #: conditions that hold where it is asked for
    given: tuple[Expr, ...]
    share: bool


class Study:
    """Symbols and estimates of one call of `cost`."""

    def __init__(self) -> None:
        self.estimates: dict[Symbol, Estimate] = {}
        self._by_key: dict[Any, Symbol] = {}
        #: views that are read or written, the loops around that, and the statement
        self.touches: list[tuple[Array, tuple[Loop, ...], int]] = []
        self.written: set[Root] = set()
        #: sizes that are taken to be equal: pairs
        self.equal: set[tuple[Expr, Expr]] = set()
        #: calls of kernels that were looked at
        self.frames = 0
        self._number = 0

    def unique(self, name: str) -> Symbol:
        """Return a symbol for a counter that nothing else is called."""
        self._number += 1
        return Turn(f"{name}.{self._number}", integer=True, nonnegative=True)

    def estimate(
        self,
        key: Any,
        what: str,
        expr: Expr | None = None,
        loops: Iterable[Loop] = (),
        given: tuple[Expr, ...] = (),
        share: bool = False,
    ) -> Symbol:
        """Return the symbol of a number that depends on the data.

        Parameters
        ----------
        key : hashable
            The place in the code; the same place gets the same symbol.
        what : str
            In words, for people.
        expr : sympy.Expr, optional
            What its mean over `loops` is, where `given` holds.
        share : bool
            Whether it is a share from 0 to 1, not a count.
        """
        if key not in self._by_key:
            self._number += 1
            symbol = Symbol(f"{'p' if share else 'n'}.{self._number}", real=True, nonnegative=True)
            self._by_key[key] = symbol
            self.estimates[symbol] = Estimate(symbol, what, expr, tuple(loops), given, share)
        symbol = self._by_key[key]
        if expr is not None and self.estimates[symbol].expr is None:  # it was asked for before all was known
            self.estimates[symbol] = Estimate(symbol, what, expr, tuple(loops), given, share)
        return symbol

    def agree(self, one: tuple[Expr, ...], other: tuple[Expr, ...], otherwise: str) -> None:
        """Take two shapes to be equal.

        Raises
        ------
        NotCountedError
            When they can't be.
        """
        if len(one) != len(other):
            raise NotCountedError(otherwise)
        for a, b in zip(one, other, strict=True):
            if a != b:
                if (a - b).is_number:
                    raise NotCountedError(otherwise)
                self.equal.add((a, b))

    def names(self, exprs: Iterable[Expr], taken: set[str]) -> dict[Symbol, Symbol]:
        """Return short names for the estimates that are used: n_1, n_2, … for counts, p_1, p_2, … for shares."""
        used = set().union(*(sympy.sympify(expr).atoms(Symbol) for expr in exprs))
        short: dict[Symbol, Symbol] = {}
        for letter, share in (("n", False), ("p", True)):
            free = (name for name in _counted(letter) if name not in taken)
            for symbol, estimate in self.estimates.items():
                if symbol in used and estimate.share is share:
                    short[symbol] = Symbol(next(free), real=True, nonnegative=True)
        return short


def _counted(letter: str) -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield f"{letter}_{number}"
