from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asafess.core.optimum import cost_of, optimum

prices = st.floats(0, 1e6) | st.sampled_from([0.0, 1e-12, 1.0, 1e12])


@st.composite
def problems(draw, longest=5):
    states, samples = draw(st.integers(1, 4)), draw(st.integers(1, longest))
    costs = [[draw(prices) for _ in range(states)] for _ in range(samples)]
    return costs, [draw(prices) for _ in range(samples)], draw(st.integers(0, states - 1))


@given(problems())
def test_it_is_the_cheapest_of_all_schedules(problem):
    costs, switch, start = problem
    every = product(range(len(costs[0])), repeat=len(costs))
    least = min(cost_of(states, costs, switch, start) for states in every)
    found = optimum(costs, switch, start)
    assert found.cost == pytest.approx(least, rel=1e-9, abs=0)
    assert cost_of(found.states, costs, switch, start) == pytest.approx(found.cost, rel=1e-9, abs=0)


@given(problems(longest=40))
def test_no_change_of_one_sample_makes_it_cheaper(problem):
    costs, switch, start = problem
    found = optimum(costs, switch, start)
    assert found.switches == sum(a != b for a, b in pairwise(found.states))
    for sample, state in product(range(len(costs)), range(len(costs[0]))):
        other = [*found.states[:sample], state, *found.states[sample + 1 :]]
        assert cost_of(other, costs, switch, start) >= found.cost * (1 - 1e-9)


def test_it_stays_where_moving_is_no_better():
    assert optimum([[2, 1], [2, 1]], [2, 2], start=0).states == (0, 0)
    assert optimum([[2, 1], [2, 1]], [2, 2], start=1).states == (1, 1)


def test_a_switch_before_the_first_sample_is_paid():
    assert optimum([[9, 1]], [3]).cost == 4
    assert cost_of([1], [[9, 1]], [3]) == 4


def test_it_moves_before_a_switch_becomes_dear():
    assert optimum([[1, 1], [9, 1], [9, 1]], [1, 5, 5]).states == (1, 1, 1)


def test_of_nothing_there_is_nothing():
    found = optimum([], [])
    assert (found.cost, found.states, found.switches) == (0.0, (), 0)


def test_prices_must_be_as_many_as_samples():
    with pytest.raises(ValueError, match="zip"):
        optimum([[1, 2], [1, 2]], [1])
    with pytest.raises(ValueError, match="zip"):
        cost_of([0], [[1, 2], [1, 2]], [1, 1])
