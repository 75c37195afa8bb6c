import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asafess.core.domain import Domain, Hysteresis, Predicate, axis, band

ratios = st.floats(0, 10)


@given(ratios, st.floats(0, 5), st.floats(0, 5), st.sampled_from(["off", "on"]))
def test_a_band_is_on_below_alpha_off_above_beta_and_unchanged_between(ratio, low, width, state):
    domain = Domain(("off", "on"), [band(low, low + width)])
    expected = "on" if ratio < low else "off" if ratio > low + width else state
    assert domain(state, {"ratio": ratio}) == expected


@given(ratios, st.sampled_from(["off", "light", "full"]))
def test_a_state_that_was_entered_is_kept_by_the_same_vector(ratio, state):
    domain = Domain(("off", "light", "full"), [band(2.0, 4.0), band(1.0, 3.0)])
    after = domain(state, {"ratio": ratio})
    assert domain(after, {"ratio": ratio}) == after


def test_ordered_states_can_be_skipped_both_ways():
    domain = Domain(("off", "light", "full"), [band(2.0, 4.0), band(1.0, 3.0)])
    assert domain("off", {"ratio": 0.5}) == "full"
    assert domain("full", {"ratio": 9.0}) == "off"


def test_where_both_predicates_hold_nothing_changes():
    both = Hysteresis(axis("ratio") < 2, axis("ratio") > 1)
    domain = Domain(("off", "on"), [both])
    assert domain("off", {"ratio": 1.5}) == "off"
    assert domain("on", {"ratio": 1.5}) == "on"


@given(st.floats(0, 1), st.floats(0, 1))
def test_predicates_combine_as_logic_says(x, y):
    a, b, vector = axis("x") < 0.5, axis("y") > 0.5, {"x": x, "y": y}
    assert (a & b)(vector) == (x < 0.5 and y > 0.5)
    assert (a | b)(vector) == (x < 0.5 or y > 0.5)
    assert (~a)(vector) == (not x < 0.5)


def test_an_unknown_component_says_what_it_was_told_to_say():
    assert not (axis("zeros") > 0.5)({})
    assert (axis("zeros", if_unknown=True) > 0.5)({})


def test_a_decision_names_the_value_and_the_threshold():
    domain = Domain(("off", "on"), [Hysteresis((axis("ratio") < 1) & (axis("zeros") > 0.1), axis("ratio") > 2)])
    assert domain.explain("off", {"ratio": 0.25, "zeros": 0.75}) == "ratio 0.25 is below 1 and zeros 0.75 is above 0.1"
    assert domain.explain("off", {"ratio": 1.5}) == ""
    assert domain.explain("on", {"ratio": math.inf}) == "ratio infinite is above 2"


def test_a_decision_says_what_is_the_case_also_of_what_does_not_hold():
    low, zeros = axis("ratio") < 1, axis("zeros", if_unknown=True) > 0.1
    assert (~low).explain({"ratio": 2.0}) == "ratio 2 is not below 1"
    assert (~~low).explain({"ratio": 0.5}) == "ratio 0.5 is below 1"
    assert zeros.explain({}) == "zeros is not known yet, taken to be above 0.1"
    assert low.explain({}) == "ratio is not known yet, taken to be not below 1"
    assert (low | zeros).explain({"ratio": 0.5, "zeros": 0.0}) == "ratio 0.5 is below 1"
    assert (~(low & zeros)).explain({"ratio": 2.0, "zeros": 0.5}) == "ratio 2 is not below 1"
    assert (low | zeros).explain({"ratio": 2.0, "zeros": 0.0}) == "ratio 2 is not below 1 and zeros 0 is not above 0.1"


class Own(Predicate):
    def __call__(self, vector):
        return vector["ratio"] == 1

    def __str__(self):
        return "ratio is one"


def test_a_predicate_of_ones_own_is_told_by_its_name():
    assert Own().explain({"ratio": 1}) == "ratio is one"
    assert (~Own()).explain({"ratio": 2}) == "not ratio is one"


@pytest.mark.parametrize(("alpha", "beta"), [(2, 1), (-1, 1), (math.nan, 1), (1, math.nan)])
def test_a_band_that_is_upside_down_or_no_number_is_refused(alpha, beta):
    with pytest.raises(ValueError, match=f"alpha {alpha}, beta {beta}"):
        band(alpha, beta)


@pytest.mark.parametrize("bad", ["0.5", None, True, math.nan])
def test_an_axis_is_compared_with_numbers_only(bad):
    with pytest.raises(TypeError, match="compared with a number"):
        axis("ratio") < bad  # noqa: B015


def test_a_predicate_combines_with_predicates_only():
    with pytest.raises(TypeError, match="only with a predicate"):
        (axis("ratio") < 1) & True
    with pytest.raises(TypeError, match="compare an axis"):
        Predicate()({})


def test_states_and_pairs_must_fit():
    with pytest.raises(ValueError, match="2 ordered states take 1 pairs"):
        Domain(("off", "on"), [])
    with pytest.raises(ValueError, match="different from each other"):
        Domain(("off", "off"), [band(1, 2)])
    with pytest.raises(ValueError, match="at least one"):
        Domain((), [])
