"""Signs of expressions over all turns of loops, and what is assumed of sizes to know them."""

from __future__ import annotations

from functools import cache

import sympy
from sympy import Expr, Integer, Max, Min, Poly, Symbol, ceiling, expand, floor

from asafess.compiler.kernel.study import Loop
from asafess.compiler.kernel.values import Step, Turn


class Facts:
    """What is known of signs, and what was assumed: each of `assumed` is taken to be ≥ 0, each size to be ≥ 1."""

    def __init__(self) -> None:
        self.assumed: set[Expr] = set()
        #: the sizes and scalars that a sign was decided for
        self.sizes: set[Symbol] = set()

    def holds(self, expr: Expr, loops: tuple[Loop, ...], assume: bool = True) -> bool | None:
        """Say whether an expression is ≥ 0 (True), < 0 (False), or either (None) in all turns of the loops.

        With `assume`, what is ≥ 0 for all large enough sizes counts as ≥ 0.
        """
        ends = {each for end in [expand(expr)] for each in _ways(end)}
        for loop in reversed(loops):
            if not any(loop.counter in end.free_symbols for end in ends):
                continue
            if not all(end.is_polynomial(loop.counter) and degree(end, loop.counter) < 2 for end in ends):
                return None
            places = (Integer(0), _last(loop.trips))
            ends = {each for end in ends for at in places for each in _ways(expand(end.xreplace({loop.counter: at})))}
            if len(ends) > 64:
                return None
        verdicts = [_sign(end) for end in ends]
        sizes = {symbol for end in ends for symbol in end.free_symbols}
        if all(verdict == "yes" for verdict in verdicts):
            self.sizes |= sizes
            return True
        if all(verdict == "no" for verdict in verdicts):
            self.sizes |= sizes
            return False
        if assume and all(verdict in ("yes", "large") for verdict in verdicts):
            self.assumed |= {end for end, verdict in zip(ends, verdicts, strict=True) if verdict == "large"}
            return True
        return None

    def settle(self, expr: Expr, loops: tuple[Loop, ...]) -> Expr:
        """Replace minima, maxima and indicators that are the same in all turns of the loops."""
        for _ in range(20):
            atoms = [
                atom for atom in expr.atoms(Min, Max, Step) if not any(arg.has(Min, Max, Step) for arg in atom.args)
            ]
            values = {atom: new for atom in atoms if (new := self._settled(atom, loops)) != atom}
            if not values:
                return expr
            expr = expr.xreplace(values)
        return expr

    def _settled(self, atom: Expr, loops: tuple[Loop, ...]) -> Expr:
        if isinstance(atom, Step):
            holds = self.holds(atom.args[0], loops)
            return atom if holds is None else Integer(int(holds))
        args = list(atom.args)
        for one in args:
            for other in args:
                if one is not other and self.holds(one - other, loops):
                    dropped = one if isinstance(atom, Min) else other
                    return atom.func(*(arg for arg in args if arg is not dropped))
        return atom


def _ways(expr: Expr) -> list[Expr]:
    """Return expressions that are all ≥ 0 only if this one is, without minima that are added to it."""
    for atom in expr.atoms(Min):
        if expr.coeff(atom, 1).is_positive and not (expr - expr.coeff(atom, 1) * atom).has(atom):
            return [each for arg in atom.args for each in _ways(expand(expr.xreplace({atom: arg})))]
    return [expr]


def _last(trips: Expr) -> Expr:
    """Return a number that no counter of so many turns exceeds."""
    if isinstance(trips, ceiling):
        over, under = sympy.fraction(sympy.together(trips.args[0]))
        return (over - 1) / under
    return trips - 1


@cache
def _sign(expr: Expr) -> str:
    """Return "yes" (≥ 0 for all sizes ≥ 1), "large" (for large ones), "no" (never) or "unknown"."""
    if expr.is_number:
        return "yes" if expr >= 0 else "no"
    symbols = expr.free_symbols
    if any(isinstance(symbol, Turn) for symbol in symbols):
        return "unknown"
    shifted = expr.xreplace({s: s + 1 for s in symbols if s.is_integer})
    shifted = expand(shifted)
    if shifted.is_number:
        return _sign(shifted)
    try:
        poly = Poly(shifted)
        if not all(gen.is_Symbol or (isinstance(gen, floor | ceiling) and _positive(gen)) for gen in poly.gens):
            return "unknown"
        signs = [(sum(powers) > 0, coefficient) for powers, coefficient in poly.terms()]
        positive = [coefficient > 0 for _, coefficient in signs]
    except (sympy.PolynomialError, TypeError):
        return "unknown"
    if all(positive):
        return "yes"
    if not any(positive):
        return "no" if any(not varies for varies, _ in signs) else "unknown"
    return (
        "large"
        if all(is_positive for (varies, _), is_positive in zip(signs, positive, strict=True) if varies)
        else "unknown"
    )


def _positive(rounded: Expr) -> bool:
    """Say whether what is rounded is ≥ 0; a step of unknown sign in its denominator is not."""
    return _sign(rounded.args[0]) == "yes" or not sympy.fraction(sympy.together(rounded.args[0]))[1].free_symbols


def degree(expr: Expr, counter: Symbol) -> int:
    """Return the degree of a polynomial in a counter."""
    return int(sympy.degree(expr, counter)) if counter in expr.free_symbols else 0
