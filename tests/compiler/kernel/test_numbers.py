"""Means over real index arrays, and sums without a closed form."""

import numpy as np
import pytest
import sympy
from sympy import Sum
from sympy.abc import n, t, u

from asafess.compiler.cost import cost
from asafess.compiler.kernel import numbers, turns
from asafess.compiler.kernel.numbers import number
from asafess.compiler.kernel.values import NotCountedError


def rows(indptr, skip, values):
    total = 0.0
    for i in range(indptr.size - 1):
        if skip[i] > 0:
            for k in range(indptr[i], indptr[i + 1]):
                total += values[k]
    return total


def arguments(count):
    random = np.random.default_rng(1)
    indptr = np.concatenate([[0], np.cumsum(random.integers(0, 9, count))])
    return indptr, random.integers(0, 2, count), np.ones(indptr[-1])


def test_means_are_exact_where_they_are_taken_of_all_turns():
    indptr, skip, values = arguments(1000)
    expected = np.diff(indptr)[skip > 0].sum()
    assert cost(rows, indptr, skip, values).bind(indptr, skip, values).flop == pytest.approx(expected)


def test_of_many_turns_some_are_chosen(monkeypatch):
    monkeypatch.setattr(numbers, "POINTS", 2000)
    args = arguments(10_000)
    expected = np.diff(args[0])[args[1] > 0].sum()
    found = [cost(rows, *args).bind(*args).flop for _ in range(2)]
    assert found[0] == pytest.approx(expected, rel=0.05)
    assert found[0] == found[1] != expected


def test_a_loop_that_never_turns_adds_nothing_whatever_is_in_it():
    inner = Sum(sympy.Max(u, 2), (u, 0, 4))
    assert number(Sum(sympy.Max(t, 1) * inner, (t, 0, -4))) == 0.0
    assert number(Sum(sympy.Max(t, 1) * (inner + n), (t, 0, n)), {n: sympy.Integer(1)}) == 2 * 14


def test_long_sums_are_added_up_in_pieces_and_very_long_ones_not_at_all(monkeypatch):
    monkeypatch.setattr(turns, "POINTS", 7)
    assert number(Sum(sympy.Max(t - 3, 0), (t, 0, 99))) == sum(max(k - 3, 0) for k in range(100))
    with pytest.raises(NotCountedError, match="1,000,000,000,000 terms"):
        number(Sum(sympy.Max(t - 3, 0), (t, 0, 10**12 - 1)))
