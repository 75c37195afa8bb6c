"""How often a loop turns: over a range or an array, or while a test holds that moves towards its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sympy
from numba.core import ir
from sympy import Expr, Integer, floor, log

from asafess.compiler.kernel.values import Array, Equal, Range, Sequence, Step

if TYPE_CHECKING:
    from asafess.compiler.kernel.frame import Frame


def trips_of_test(frame: Frame, header: int) -> Expr | None:
    """Return how often a loop turns, or None where that depends on the data.

    A loop that tests at its head turns so often and then looks once more; one that tests at its end just turns.
    """
    exits = frame.flow.exits(header)
    sources = {source for source, _ in exits}
    if len(sources) != 1:
        return None
    source = sources.pop()
    over = iterated(frame, header)
    if over is not None:
        return over.trips if source == header else None
    latches = frame.flow.latches(header)
    bottom = latches == [source]
    if not bottom and source != header:
        return None
    branch = frame.typed.blocks[source].terminator
    if not isinstance(branch, ir.Branch):
        return None
    condition = frame.use(branch.cond, source)
    if not isinstance(condition, Expr):
        return None
    if branch.truebr not in frame.flow.loops[header].body:
        condition = sympy.expand(1 - condition)
    fails = _first_failure(condition, frame.counter(header))
    if fails is None or not bottom:
        return fails
    return fails + 1


def iterated(frame: Frame, header: int) -> Range | Sequence | None:
    """Return what a `for` loop goes over, or None for a `while` loop."""
    for statement in frame.typed.blocks[header].body:
        if isinstance(statement, ir.Assign) and getattr(statement.value, "op", None) == "iternext":
            over = frame.use(statement.value.value, header)
            return over if isinstance(over, Range | Sequence) else Sequence(None)
    return None


def sequence(value: Any) -> Range | Sequence | None:
    """Return what `for … in value` goes over, or None where that is not followed."""
    if isinstance(value, Range | Sequence):
        return value
    if isinstance(value, tuple):
        same = all(item == value[0] for item in value)
        return Sequence(Integer(len(value)), value[0] if value and same else None)
    if isinstance(value, Array) and value.dims:
        return Sequence(value.dims[0], value)
    return None


def _first_failure(condition: Expr, counter: sympy.Symbol) -> Expr | None:
    """Return the first turn in which a test fails that moves steadily, or None."""
    if isinstance(condition, Step):
        at = sympy.expand(condition.args[0])
        if not at.is_polynomial(counter):
            return _halving(at, counter)
        slope = at.coeff(counter, 1)
        if sympy.degree(at, counter) == 1 and slope.is_Integer and slope < 0:
            return floor(at.coeff(counter, 0) / -slope) + 1
        return None
    inverted = sympy.expand(1 - condition)
    if isinstance(inverted, Equal):
        at = sympy.expand(inverted.args[0])
        if at.is_polynomial(counter) and sympy.degree(at, counter) == 1 and abs(at.coeff(counter, 1)) == 1:
            return -at.coeff(counter, 0) / at.coeff(counter, 1)
    return None


def _halving(at: Expr, counter: sympy.Symbol) -> Expr | None:
    """Return the first turn in which `limit − start·factorᵗ` or `⌊start/factorᵗ⌋ − limit` is negative."""
    for power in at.atoms(sympy.Pow):
        slope = power.exp.coeff(counter, 1)
        if not power.base.is_Rational or slope not in (1, -1):
            continue
        base, shift = power.base**slope, sympy.expand(power.exp * slope - counter)
        x = sympy.Symbol("x")
        grown = at.subs(power, x)
        if base > 1 and grown.is_polynomial(x) and sympy.degree(grown, x) == 1:
            limit = -grown.coeff(x, 0) / grown.coeff(x, 1)  # goes on while power ≤ limit
            return floor(log(sympy.Max(1, limit), base)) - shift + 1
        floors = [each for each in at.atoms(floor) if each.has(power)]
        if base < 1 and len(floors) == 1 and (rest := sympy.expand(at - floors[0])).is_Integer and rest < 0:
            start = sympy.cancel(floors[0].args[0] / power)
            # goes on while ⌊start·powerᵗ⌋ ≥ −rest
            return floor(log(sympy.Max(1, start / -rest * base**shift), 1 / base)) + 1
    return None
