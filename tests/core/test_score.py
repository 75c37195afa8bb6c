import json
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asafess.core.assessment import Assessment
from asafess.core.declaration import Declaration
from asafess.core.domain import Domain
from asafess.core.moment import Moment
from asafess.core.optimum import cost_of
from asafess.core.score import RECORDED, Steps, check, run, scores, steps
from asafess.core.trace import header_line, measured_line, moment_line
from asafess.core.trace_reader import read
from asafess.core.work_function import WorkFunction

STATES = ("off", "light", "full")


def seen(costs, switch=0.1, to=None):
    domain = {one: to or one for one in STATES}
    return Assessment(domain, None if costs is None else dict(zip(STATES, costs, strict=True)), switch)


def of(assessments, start="off"):
    return Steps(STATES, [0.05 * number for number in range(len(assessments))], assessments, start)


def recorded(entries, measured=()):
    """A trace as its file has it, from (costs, state before, state after) of each moment; beside it another one."""
    names = ("tiles", "other")
    lines = [header_line({}, [Declaration(name, STATES, lambda rates: Domain(("a",), [])) for name in names], 0.0, 0.0)]
    for number, (costs, before, after) in enumerate(entries):
        states = [{"tiles": one, "other": "off"} for one in (before, after, after)]
        assessments = {"tiles": seen(costs), "other": seen(None)}
        lines.append(moment_line(Moment(0.05 * number, 0.05, {}, assessments, *states, {})))
    lines += [measured_line(*one) for one in measured]
    trace = read(map(json.dumps, lines))
    assert not trace.damaged
    return trace


runs = st.lists(
    st.builds(
        seen,
        st.tuples(*[st.floats(0, 10) | st.just(0.0)] * 3),
        st.floats(0, 2),
        st.none() | st.sampled_from(STATES),
    ),
    min_size=1,
    max_size=40,
)


@given(runs, st.sampled_from(STATES), st.data())
def test_nothing_is_better_than_the_optimum(assessments, start, data):
    states = data.draw(st.lists(st.sampled_from(STATES), min_size=len(assessments), max_size=len(assessments)))
    found = {one.policy: one for one in scores(of(assessments, start), recorded=states)}
    assert next(iter(found)) == "optimum"
    assert found["optimum"].ratio == 1
    assert set(found) >= {"always_off", "always_full", "work_function", "alpha_beta", RECORDED}
    assert min(one.ratio for one in found.values()) >= 1 - 1e-9
    steady = [found[f"always_{state}"] for state in STATES]
    assert min(one.regret for one in steady) == 0
    for one in found.values():
        assert one.regret == one.cost - min(fixed.cost for fixed in steady)
        assert one.cost == cost_of(one.states, of(assessments).costs, of(assessments).switch, STATES.index(start))
        assert one.switches == sum(a != b for a, b in pairwise((STATES.index(start), *one.states)))
    assert [one.switches for one in steady] == [int(state != start) for state in STATES]
    assert found[RECORDED].states == tuple(map(STATES.index, states))


def test_where_nothing_costs_anything_all_are_as_good():
    assert {one.ratio for one in scores(of([seen((0, 0, 0), 0.0)] * 3))} == {1.0}


def test_where_only_the_optimum_costs_nothing_the_others_are_infinitely_worse():
    found = {one.policy: one.ratio for one in scores(of([seen((0, 1, 1))] * 3))}
    assert (found["always_off"], found["always_full"]) == (1.0, math.inf)


def test_a_policy_is_told_of_its_switches():
    told = []

    class Telling(WorkFunction):
        def entered(self, time, state):
            told.append((time, state))

    assert run(Telling(), of([seen((1, 0, 1))] * 3)) == (1, 1, 1)
    assert told == [(0.0, "light")]


def test_the_cost_of_a_switch_never_falls():
    assert of([seen((1, 1, 1), switch) for switch in (0.2, 0.1, 0.3, 0.0)]).switch == [0.2, 0.2, 0.3, 0.3]


def test_only_moments_with_costs_are_scored():
    entries = [
        (None, "off", "light"),
        ((1, 2, 3), "light", "full"),
        (None, "full", "full"),
        ((4, 5, 6), "full", "off"),
    ]
    found = steps(recorded(entries), "tiles")
    assert found.costs == [[1, 2, 3], [4, 5, 6]]
    assert (found.states, found.start, found.times) == (STATES, "light", [0.05, pytest.approx(0.15)])


def test_an_optimization_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="unknown optimization 'wire'; in this trace: tiles, other"):
        steps(recorded([]), "wire")


@pytest.mark.parametrize("entries", [[], [(None, "off", "off")]])
def test_without_predicted_costs_there_is_nothing_to_score(entries):
    with pytest.raises(ValueError, match="'tiles' predicts no costs in this trace"):
        steps(recorded(entries), "tiles")


def test_a_prediction_is_the_recorded_run_and_the_differences_of_the_costs():
    entries = [
        ((4, 1, 2), "off", "light"),
        ((4, 1, 2), "light", "light"),
        (None, "light", "off"),
        ((1, 3, 5), "off", "off"),
    ]
    measured = [
        ("tiles", RECORDED, 10.0),
        ("tiles", RECORDED, 12.0),
        ("tiles", "off", 20.0),
        ("tiles", "off", 10.0),
        ("tiles", "off", 17.0),
        ("tiles", "full", 17.0),
        ("other", "light", 1.0),
    ]
    found = {one.state: one for one in check(recorded(entries, measured), "tiles")}
    assert set(found) == {"off", "full"}
    assert (found["off"].predicted, found["off"].measured, found["off"].runs) == (11 + 2 * 3, 17, 3)
    assert (found["full"].predicted, found["full"].error) == (11 + 2 * 1 + 4, 0)


def test_where_nothing_was_measured_nothing_is_checked():
    entries = [((4, 1, 2), "off", "off")]
    assert check(recorded(entries), "tiles") == []
    assert check(recorded(entries, measured=[("tiles", "off", 1.0)]), "tiles") == []
