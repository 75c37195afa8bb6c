"""Adding up over loops, in closed form where the terms are polynomials in the counters.

Conditions are indicator functions (`Step`, `Equal`) that cut a range in two. Where the order of two sizes matters
and one is ahead for all large enough sizes, that is assumed and remembered; `Cost.evaluate` looks whether it holds
for the numbers it is given, and adds up again with these numbers if not.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import sympy
from sympy import Add, Expr, Integer, Max, Min, Mod, Mul, Poly, Rational, Sum, Symbol, ceiling, expand, floor

from asafess.compiler.kernel.facts import Facts, degree
from asafess.compiler.kernel.study import Loop, Nest
from asafess.compiler.kernel.values import Equal, Step


def total(nest: Nest, facts: Facts, outer: tuple[Loop, ...] = ()) -> dict[str, Expr]:
    """Return the counts of a nest of loops, added up over all its turns."""
    loop = nest.loop
    loops = outer
    if loop is not None:
        loop = Loop(loop.counter, facts.settle(loop.trips, outer), loop.line, loop.name)
        loops = (*outer, loop)
    counts = {name: sympy.sympify(count) for name, count in nest.counts.items()}
    for weight, inner in nest.inside:
        for name, count in total(inner, facts, loops).items():
            counts[name] = counts.get(name, Integer(0)) + weight * count
    counts = {name: expand(facts.settle(count, loops)) for name, count in counts.items()}
    if loop is None:
        return counts
    return {name: over(count, loop, outer, facts) for name, count in counts.items()}


def total_without_cases(nest: Nest) -> dict[str, Expr]:
    """Return the same counts without telling cases apart: what is no polynomial in a counter is left as a sum.

    That is always quick, and nothing is assumed. `number` adds sums up turn by turn.
    """
    counts = {name: sympy.sympify(count) for name, count in nest.counts.items()}
    for weight, inner in nest.inside:
        for name, count in total_without_cases(inner).items():
            counts[name] = counts.get(name, Integer(0)) + weight * count
    if nest.loop is None:
        return counts
    return {name: _over_without_cases(count, nest.loop) for name, count in counts.items()}


def _over_without_cases(expr: Expr, loop: Loop) -> Expr:
    if not expr.has(Sum) and expr.is_polynomial(loop.counter):
        # SymPy compares the arguments of a maximum at length
        turns = Max(0, loop.trips, evaluate=loop.trips.is_number)
        return sum_polynomial(expr, loop.counter, turns)
    return Sum(expr, (loop.counter, 0, loop.trips - 1))


def over(expr: Expr, loop: Loop, outer: tuple[Loop, ...], facts: Facts) -> Expr:
    """Return the sum of an expression over the turns of a loop."""
    enough = facts.holds(loop.trips, outer)
    if not enough:
        return _split(expr, loop, outer, facts, enough)
    return _between(expr, loop.counter, Integer(0), loop.trips, outer, facts)


def _split(expr: Expr, loop: Loop, outer: tuple[Loop, ...], facts: Facts, enough: bool | None) -> Expr:
    """Return the sum over a loop of which it is not known that it turns at all."""
    for atom in loop.trips.atoms(Min, Max):
        one, rest = atom.args[0], atom.func(*atom.args[1:])
        first = Step(expand(rest - one) if isinstance(atom, Min) else expand(one - rest))
        ways = [Loop(loop.counter, loop.trips.xreplace({atom: way}), loop.line, loop.name) for way in (one, rest)]
        sums = [over(expr, way, outer, facts) for way in ways]
        return expand(facts.settle(first, outer) * (sums[0] - sums[1]) + sums[1])
    if enough is False:
        return Integer(0)
    turns = loop.trips.free_symbols
    if turns and not any(each.counter in turns for each in outer):
        facts.assumed.add(loop.trips)
        enough = True
    result = _between(expr, loop.counter, Integer(0), loop.trips, outer, facts)
    return result if enough else expand(result * Step(expand(loop.trips)))


def _between(expr: Expr, t: Symbol, low: Expr, high: Expr, outer: tuple[Loop, ...], facts: Facts) -> Expr:
    """Return the sum for low ≤ t < high, where low ≤ high."""
    tiled = _tiles(expr, t, low, high)
    if tiled is not None:
        return tiled
    for atom in expr.atoms(Min, Max):
        if t in atom.free_symbols and all(arg.is_polynomial(t) for arg in atom.args):
            one, rest = atom.args[0], atom.func(*atom.args[1:])
            less = Step(expand(rest - one))
            first, last = (one, rest) if isinstance(atom, Min) else (rest, one)
            expr = expr.xreplace({atom: last + less * (first - last)})
    plain: list[Expr] = []
    odd: list[Expr] = []
    cut: dict[Expr, Expr] = {}
    for term in Add.make_args(expand(expr)):
        factors = Mul.make_args(term)
        conditions = [f for f in factors if isinstance(f, Step | Equal) and t in f.free_symbols]
        if conditions:
            rest = Mul(*(f for f in factors if f is not conditions[0]))
            cut[conditions[0]] = cut.get(conditions[0], Integer(0)) + rest
        elif term.is_polynomial(t):
            plain.append(term)
        else:
            odd.append(term)
    result = _polynomial_between(Add(*plain), t, low, high)
    for condition, rest in cut.items():
        part = _where(condition, rest, t, low, high, outer, facts)
        if part is None:
            odd.append(condition * rest)
        else:
            result += part
    if odd:
        result += Sum(Add(*odd), (t, low, high - 1))
    return expand(result)


def _tiles(expr: Expr, t: Symbol, low: Expr, high: Expr) -> Expr | None:
    """Return the sum over the tiles of an axis of what is linear in their lengths, min(n, t·b + b) − t·b."""
    if low != 0 or not isinstance(high, ceiling):
        return None
    for atom in expr.atoms(Min):
        if t not in atom.free_symbols or len(atom.args) != 2:
            continue
        n, end = atom.args if t in atom.args[1].free_symbols else atom.args[::-1]
        width = expand(end).coeff(t, 1)
        if t in n.free_symbols or expand(end - width * (t + 1)) != 0 or sympy.expand(high.args[0] * width - n) != 0:
            return None
        length = Symbol("length")
        parts = Poly(expand(expr.xreplace({atom: length + width * t})), length)
        if parts.degree() > 1 or any(t in part.free_symbols for part in parts.all_coeffs()):
            return None
        return expand(parts.coeff_monomial(length) * n + parts.coeff_monomial(1) * high)
    return None


def _where(
    condition: Any, rest: Expr, t: Symbol, low: Expr, high: Expr, outer: tuple[Loop, ...], facts: Facts
) -> Expr | None:
    """Return the sum of `rest` over the turns where a condition holds, or None where that is not followed."""
    at = expand(condition.args[0])
    if not at.is_polynomial(t):
        return _every(condition, rest, t, low, high, outer, facts)
    slope, start = at.coeff(t, 1), at.coeff(t, 0)
    if degree(at, t) != 1 or not slope.is_Integer:
        return None
    if isinstance(condition, Equal):
        if abs(slope) != 1:
            return None
        turn = expand(-start / slope)
        inside = Mul(*(_indicator(e, outer, facts) for e in (turn - low, high - 1 - turn)))
        return expand(rest.xreplace({t: turn}) * inside)
    if slope > 0:
        edge = ceiling(-start / slope)
        return _between(rest, t, _clipped(edge, low, high, outer, facts), high, outer, facts)
    edge = floor(start / -slope) + 1
    return _between(rest, t, low, _clipped(edge, low, high, outer, facts), outer, facts)


def _every(
    condition: Any, rest: Expr, t: Symbol, low: Expr, high: Expr, outer: tuple[Loop, ...], facts: Facts
) -> Expr | None:
    """Return the sum over every m-th turn: where (t + a) mod m = c."""
    at = condition.args[0]
    found = [atom for atom in at.atoms(Mod) if t in atom.free_symbols]
    if not isinstance(condition, Equal) or len(found) != 1 or low != 0 or not rest.is_polynomial(t):
        return None
    base, modulus = found[0].args
    sign = at.coeff(found[0], 1)
    wanted, start = expand((found[0] * sign - at) / sign) if sign in (1, -1) else None, expand(base - t)
    if wanted is None or not modulus.is_Integer or t in wanted.free_symbols | start.free_symbols:
        return None
    possible = _indicator(wanted, outer, facts) * _indicator(modulus - 1 - wanted, outer, facts)
    first = Mod(wanted - start, modulus)
    turns = ceiling((high - first) / modulus)
    return possible * _polynomial_between(expand(rest.xreplace({t: first + modulus * t})), t, Integer(0), turns)


def _clipped(edge: Expr, low: Expr, high: Expr, outer: tuple[Loop, ...], facts: Facts) -> Expr:
    return facts.settle(Max(low, Min(high, edge)), outer)


def _indicator(expr: Expr, outer: tuple[Loop, ...], facts: Facts) -> Expr:
    return facts.settle(Step(expand(expr)), outer)


def _polynomial_between(expr: Expr, t: Symbol, low: Expr, high: Expr) -> Expr:
    result = sum_polynomial(expr, t, high)
    return result if low == 0 else expand(result - sum_polynomial(expr, t, low))


def sum_polynomial(expr: Expr, t: Symbol, high: Expr) -> Expr:
    """Return the sum of a polynomial in t over 0 ≤ t < high (Faulhaber's formula).

    Examples
    --------
    >>> from sympy.abc import n, t
    >>> sum_polynomial(2 * t + 1, t, n)
    n**2
    """
    if t not in expr.free_symbols:
        return expand(expr * high)
    terms = Poly(expr, t).terms()
    return expand(Add(*(factor * c * high ** (j + 1) for (k,), factor in terms for j, c in enumerate(_faulhaber(k)))))


@cache
def _faulhaber(k: int) -> tuple[Rational, ...]:
    """Return the coefficients of high, high², … in the sum of tᵏ over 0 ≤ t < high."""
    x = Symbol("x")
    polynomial = Poly((sympy.bernoulli(k + 1, x) - sympy.bernoulli(k + 1, 0)) / (k + 1), x)
    return tuple(polynomial.coeff_monomial(x**j) for j in range(1, k + 2))
