"""Sums in sums, added up turn by turn."""

import pytest
import sympy
from sympy import Integer, Max, Min, Sum

from asafess.compiler.kernel import turns
from asafess.compiler.kernel.turns import Turns, outermost
from asafess.compiler.kernel.values import NotCountedError, Step, Turn

T, U, V = (Turn(name, integer=True, nonnegative=True) for name in ("t.1", "u.2", "v.3"))
NESTED = Sum(Max(T - 2, 0) * Sum(Step(U - T) * Sum(V * U, (V, 0, Min(U, T))), (U, T - 1, 7)) + T, (T, 0, 9))


def in_python(expr, at):
    """Return the value of an expression, adding its sums up one turn after the other."""
    for each in outermost(expr):
        counter, low, high = each.limits[-1]
        inner = Sum(each.function, *each.limits[:-1]) if len(each.limits) > 1 else each.function
        low, high = (int(end.subs(at)) for end in (low, high))
        found = sum((in_python(inner, {**at, counter: Integer(turn)}) for turn in range(low, high + 1)), Integer(0))
        expr = expr.xreplace({each: found})
    return expr.subs(at)


@pytest.mark.parametrize("points", [1, 3, 1000])
@pytest.mark.parametrize(
    "each",
    [
        NESTED,
        # the same limits within one loop and within two
        Sum(Sum(Sum(Max(V - 1, 0), (V, 0, 3)), (U, 0, Max(T - 2, 0))) + Sum(Max(V, 1), (V, 0, 3)), (T, 0, 9)),
        Sum(Max(T, 3) * Max(U - T, 0), (U, 0, T), (T, 0, 6)),
        Sum(Sum(Step(U - 1), (U, 0, T - 3)), (T, 0, 6)),
        Sum(Max(T, 1), (T, 0, -3)),
    ],
)
def test_sums_in_sums_are_the_same_in_pieces_of_any_size(monkeypatch, points, each):
    monkeypatch.setattr(turns, "POINTS", points)
    assert Turns().added(each) == float(in_python(each, {}))


def test_turns_of_inner_sums_count(monkeypatch):
    each = Sum(Sum(Max(U - T, 0), (U, 0, 99)) ** 2, (T, 0, 99))
    monkeypatch.setattr(turns, "LONGEST", 10_100)
    assert Turns().added(each) > 0
    monkeypatch.setattr(turns, "LONGEST", 10_099)
    with pytest.raises(NotCountedError, match="10,000 terms"):
        Turns().added(each)


def test_quotients_of_whole_numbers_are_exact():
    each = Sum(sympy.floor(T / 49 * 7) + sympy.ceiling(T / 3), (T, 0, 99))
    assert Turns().added(each) == sum(t // 7 + -(-t // 3) for t in range(100))
