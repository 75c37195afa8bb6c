"""The bound of the work function policy, against the exact optimum."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asafess.core.alpha_beta import AlphaBeta
from asafess.core.assessment import Assessment
from asafess.core.optimum import cost_of, optimum
from asafess.core.work_function import WorkFunction

NAMES = ("off", "light", "full", "max")
TOLERANCE = 1 + 1e-9

prices = st.floats(0, 10) | st.sampled_from([0.0, 1e-12, 1e-3, 1e9, 1e100])


def told(costs, switch, stay=False, to=None):
    """An assessment whose domain says to stay, or to go somewhere else."""
    names = NAMES[: len(costs)]
    domain = {one: one if stay else to or names[(place + 1) % len(names)] for place, one in enumerate(names)}
    return Assessment(domain, dict(zip(names, costs, strict=True)), switch)


def walk(policy, seen, start=0):
    """The numbers of the states that a policy is in."""
    state, path = start, []
    for number, assessment in enumerate(seen):
        state = NAMES.index(policy.decide(0.05 * number, NAMES[state], assessment).state)
        path.append(state)
    return path


def costs_of(seen):
    return [list(one.costs.values()) for one in seen], list(accumulate((one.switch for one in seen), max))


def spent(policy, seen, start=0):
    costs, switch = costs_of(seen)
    return cost_of(walk(policy, seen, start), costs, switch, start), optimum(costs, switch, start).cost


@st.composite
def runs(draw, longest=60, steady=True):
    """Assessments of a run, with costs that favour few or all states, short or long."""
    states = draw(st.integers(2, 4))
    switch = draw(st.sampled_from([0.0, 1e-6, 0.05, 1.0, 1e3]) if steady else st.floats(0, 10))
    seen = []
    while len(seen) < longest and (draw(st.booleans()) or not seen):
        costs = [draw(prices) for _ in range(states)]
        if not steady:
            switch = draw(st.floats(0, 10))
        seen += [told(costs, switch, not steady and draw(st.booleans()))] * draw(st.integers(1, 12))
    return seen, draw(st.integers(0, states - 1))


# ---- the bound


@given(runs())
def test_it_costs_at_most_2n_1_times_the_optimum_without_any_constant(run):
    seen, start = run
    cost, least = spent(WorkFunction(), seen, start)
    assert cost <= (2 * len(seen[0].costs) - 1) * least * TOLERANCE


@given(runs(steady=False), st.floats(0, 2))
def test_where_a_switch_becomes_dearer_only_the_rise_is_added(run, excess):
    seen, start = run
    states = len(seen[0].costs)
    _, switch = costs_of(seen)
    cost, least = spent(WorkFunction(excess), seen, start)
    assert cost <= ((2 * states - 1) * least + 2 * (states - 1) * (switch[-1] - switch[0])) * TOLERANCE


@st.composite
def inside_bands(draw):
    """Assessments inside and outside a band, whose costs are close to each other often enough."""
    excess = draw(st.floats(0, 2))
    near = st.sampled_from([1.0, 1 + excess / 2, 1 + excess, 1 + 2 * excess])
    seen = []
    for _ in range(draw(st.integers(1, 40))):
        pair = [draw(st.sampled_from([0.0, 0.1, 1.0])) * draw(near) for _ in range(2)]
        seen.append(told(pair, 1.0, draw(st.booleans())))
    return excess, seen


@given(inside_bands(), st.integers(1, 20))
def test_with_the_band_as_outer_filter_the_bound_is_the_same(bands, times):
    excess, seen = bands
    cost, least = spent(WorkFunction(excess), seen * times)
    assert cost <= max(3, 1 + excess) * least * TOLERANCE


def test_a_switch_that_became_dear_inside_the_band_adds_no_more_than_its_rise():
    inside = told((0.0, 0.0), 1.0, stay=True)
    cost, least = spent(WorkFunction(), [inside, *[told((1.0, 0.0), 10.0)] * 30])
    assert (cost, least) == (20.0, 1.0)  # 3 · 1 + 2 · 9 = 21 is allowed


def chased(policy, states, charges):
    """An adversary that charges, each time, only the state that the policy is in before it decides."""
    state, seen, path = 0, [], []
    for number, charge in enumerate(charges):
        seen.append(told([charge * (one == state) for one in range(states)], 1.0))
        state = NAMES.index(policy.decide(0.05 * number, NAMES[state], seen[-1]).state)
        path.append(state)
    costs, switch = costs_of(seen)
    return cost_of(path, costs, switch), optimum(costs, switch).cost


@given(st.integers(2, 4), st.lists(st.floats(0, 5), min_size=1, max_size=40), st.integers(1, 4))
def test_no_charges_of_an_adversary_that_watches_it_come_above_the_bound(states, charges, times):
    cost, least = chased(WorkFunction(), states, charges * times)
    assert cost <= (2 * states - 1) * least * TOLERANCE


@pytest.mark.parametrize(("states", "near"), [(2, 2.9), (3, 4.7), (4, 6.4)])
def test_an_adversary_comes_close_to_the_bound_but_never_above(states, near):
    cost, least = chased(WorkFunction(), states, [1 / 64] * 6000)
    assert near <= cost / least <= 2 * states - 1


@pytest.mark.parametrize("dust", [1.0, 0.1, 0.001])
def test_a_signal_that_jumps_across_the_band_costs_alpha_beta_any_multiple(dust):
    seen = [told((dust, 0.0), 1.0, to="light"), told((0.0, dust), 1.0, to="off")] * 1000
    cost, least = spent(AlphaBeta(), seen)
    assert cost / least > 1.9 / dust
    cost, least = spent(WorkFunction(), seen)
    assert cost <= 3 * least


# ---- two states


def literal(seen, excess, start):
    """The rule for two states in its own words."""
    state, total, path = start, 0.0, []
    for one in seen:
        costs = list(one.costs.values())
        if one.domain != {"off": "off", "light": "light"} or max(costs) > (1 + excess) * min(costs):
            total = max(0.0, total + costs[state] - costs[1 - state])
            if total >= 2 * one.switch:
                state, total = 1 - state, 0.0
        path.append(state)
    return path


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans()), max_size=80), st.integers(0, 1))
def test_for_two_states_it_adds_up_the_excess_and_switches_at_there_and_back(samples, start):
    seen = [told((float(off), float(on)), 4.0, stay) for off, on, stay in samples]
    assert walk(WorkFunction(0.5), seen, start) == literal(seen, 0.5, start)


def test_inside_the_band_nothing_adds_up():
    seen = [told((1.04, 1.0), 0.1, stay=True)] * 1000
    assert set(walk(WorkFunction(0.05), seen)) == {0}
    assert set(walk(WorkFunction(0.03), seen)) == {0, 1}  # a band that admits more than that is not followed


def test_what_a_band_admits_too_much_of_cancels_out():
    # the domain, of an averaged signal, says to stay, and each sample by itself is far outside of the band
    seen = [told((1.2, 1.0), 1.0, stay=True), told((1.0, 1.2), 1.0, stay=True)] * 100
    assert set(walk(WorkFunction(0.05), seen)) == {0}


def test_a_state_without_others_is_kept():
    assert walk(WorkFunction(), [told((1.0,), 1.0)] * 10) == [0] * 10
    assert walk(WorkFunction(), [told((1.0,), 1.0, stay=True)] * 10) == [0] * 10


def test_a_band_that_keeps_only_the_present_state_is_not_followed():
    # the domain would leave the cheapest state: the two do not agree that it makes no difference
    seen = [Assessment({"off": "off", "light": "off"}, {"off": 1.04, "light": 1.0}, 0.1)] * 10
    assert walk(WorkFunction(0.05), seen)[-1] == 1


@pytest.mark.parametrize("excess", [2.0001, -0.1, float("nan"), float("inf")])
def test_a_band_that_admits_too_much_is_refused(excess):
    with pytest.raises(ValueError, match="relative excess between 0 and 2"):
        WorkFunction(excess)


# ---- without costs, after a reset, and where others have their way


def test_without_costs_it_decides_as_alpha_beta_does():
    up = Assessment({"off": "on", "on": "on"}, None, 0.05)
    down = Assessment({"off": "off", "on": "off"}, None, 0.05)
    one, other, state = WorkFunction(dwell=0.3), AlphaBeta(dwell=0.3), "off"
    for number, seen in enumerate([up, up, down, down, up, down, down, down, down, up, down] * 3):
        decided = one.decide(0.1 * number, state, seen)
        assert decided == other.decide(0.1 * number, state, seen)
        if decided.state != state:
            state = decided.state
            one.entered(0.1 * number, state)
            other.entered(0.1 * number, state)


def test_a_reset_is_a_cold_start():
    seen = [told((1.0, 0.0), 4.0)] * 7
    policy = WorkFunction()
    walk(policy, [*seen, told((1.0, 0.0), 40.0)])
    assert walk(policy, seen) == [0] * 7  # it remembers the dear switch
    policy.reset()
    assert walk(policy, [*seen, seen[0]]) == [0] * 7 + [1]


def test_after_a_reset_there_is_no_dwell():
    policy = WorkFunction(dwell=1.0)
    policy.entered(0.0, "on")
    policy.reset()
    assert policy.decide(0.1, "on", Assessment({"off": "off", "on": "off"}, None, 0.05)).state == "off"


def test_held_back_it_keeps_wanting_until_it_is_no_longer_worth_it():
    policy = WorkFunction()
    wants = [policy.decide(0.05 * k, "off", told((1.0, 0.5), 1.0)).state for k in range(50)]
    assert wants == ["off"] * 3 + ["light"] * 47
    # not more than there and back is ever owed: four samples the other way, and it wants to stay
    back = [policy.decide(3.0 + 0.05 * k, "off", told((0.5, 1.0), 1.0)).state for k in range(8)]
    assert back == ["off"] * 8
    assert policy.decide(4.0, "light", told((0.5, 1.0), 1.0)).state == "off"


@given(runs(), st.lists(st.integers(0, 3), max_size=60), runs())
def test_where_others_had_their_way_only_a_constant_is_lost(before, moves, after):
    (seen, _), (later, start) = before, after
    states = len(later[0].costs)
    seen = [told((list(one.costs.values()) * 2)[:states], later[0].switch) for one in seen]
    policy = WorkFunction()
    for number, (move, one) in enumerate(zip(moves, seen, strict=False)):
        assert policy.decide(0.05 * number, NAMES[move % states], one).state in one.costs
    cost, least = spent(policy, later, start)
    assert cost <= ((2 * states - 1) * least + (4 * states - 1) * later[0].switch) * TOLERANCE


def test_the_cause_names_what_was_owed_and_what_the_domain_says():
    seen = Assessment({"off": "on", "on": "on"}, {"off": 0.5, "on": 0.25}, 0.125, lambda state: f"{state}: ratio 0.2")
    decided = WorkFunction().decide(0.0, "off", seen)
    assert decided.state == "on"
    assert decided.cause == (
        "off has cost 0.25 s more than on would have (a switch there and back costs 0.25 s); off: ratio 0.2"
    )
