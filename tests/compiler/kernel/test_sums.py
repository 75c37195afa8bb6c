"""Sums over loops: closed forms against adding up."""

import itertools

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from sympy import Integer, Symbol

from asafess.compiler.kernel.facts import Facts
from asafess.compiler.kernel.numbers import number
from asafess.compiler.kernel.study import Loop, Nest
from asafess.compiler.kernel.sums import sum_polynomial, total, total_without_cases
from asafess.compiler.kernel.values import Equal, Step, Turn

N, M = (Symbol(name, integer=True, nonnegative=True) for name in "nm")
T, U = (Turn(name, integer=True, nonnegative=True) for name in "tu")


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=5), st.integers(0, 8))
def test_polynomials(coefficients, n):
    polynomial = sum((c * T**k for k, c in enumerate(coefficients)), Integer(0))
    assert sum_polynomial(polynomial, T, Integer(n)) == sum(polynomial.subs(T, t) for t in range(n))


@pytest.mark.parametrize(
    ("trips", "count"),
    [
        (N - T - 1, Integer(1)),
        (T, U + 1),
        (T + 2, Step(U - T)),
        (N, Step(M - T - U)),
        (N, Equal(T + U - 3)),
        (N - 2 * T, Integer(1)),
        (sympy.Min(M, T + 1), U),
        (sympy.ceiling((N - T) / 2), Integer(3)),
        (M, Equal(sympy.Mod(T + U, 2)) * (U + 1)),
        (M, Equal(sympy.Mod(U, 3) - 1)),
        (M, Step(T - U) * Step(U - 1)),
    ],
)
def test_two_loops(trips, count):
    facts = Facts()
    inner = Nest(Loop(U, trips, 2, "u"), {"add": count})
    nest = Nest(inside=[(Integer(1), Nest(Loop(T, N, 1, "t"), {}, [(Integer(1), inner)]))])
    closed = total(nest, facts)["add"]
    for n, m in itertools.product([1, 2, 5, 8], [1, 3, 6]):
        values = {N: Integer(n), M: Integer(m)}
        want = sum(
            count.xreplace(values).subs({T: t, U: u})
            for t in range(n)
            for u in range(max(0, int(trips.xreplace(values).subs(T, t))))
        )
        want = float(want)
        if all(each.xreplace(values) >= 0 for each in facts.assumed):
            assert number(closed.xreplace(values)) == want
        assert number(total(nest.replaced(values), Facts())["add"]) == want
        assert number(total_without_cases(nest)["add"].xreplace(values)) == want


def test_tiles_add_up_to_the_whole():
    width = Symbol("b", integer=True, nonnegative=True)
    length = sympy.Min(N, T * width + width) - T * width
    inner = Nest(Loop(U, length, 2, "u"), {"add": Integer(1)})
    nest = Nest(Loop(T, sympy.ceiling(N / width), 1, "t"), {}, [(Integer(1), inner)])
    assert total(nest, Facts()) == {"add": N}


def test_what_is_assumed_is_said():
    facts = Facts()
    nest = Nest(Loop(T, N - 2, 1, "t"), {"add": T})
    assert sympy.factor(total(nest, facts)["add"]) == (N - 3) * (N - 2) / 2
    assert facts.assumed == {N - 2}


def test_signs():
    facts = Facts()
    loop = Loop(T, N, 1, "t")
    assert facts.holds(N - 1 - T, (loop,)) is True
    assert facts.holds(T - N, (loop,)) is False
    assert facts.holds(N - 2 - T, (loop,)) is None
    assert facts.holds(N - M, ()) is None
    assert facts.holds(N - 3, (), assume=False) is None
