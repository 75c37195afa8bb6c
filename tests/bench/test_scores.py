import math

import pytest
from asafess.bench.scores import (
    Estimate,
    arm_names,
    estimate,
    half_width,
    held,
    paired_differences,
    paired_ratios,
    timed,
    trimmed_mean,
    valid,
)
from hypothesis import given
from hypothesis import strategies as st

seconds = st.floats(1e-6, 1e6)
sets = st.lists(seconds, min_size=3, max_size=12)


def make(arm, *numbers):
    """Rows of one arm; None is a failed run."""
    return [
        {"arm": arm, "round": i, "order": 0, "warmup": False, "seconds": s, "ok": s is not None, "error": None}
        for i, s in enumerate(numbers)
    ]


@given(sets, st.randoms())
def test_the_trimmed_mean_lies_among_the_runs_that_are_left_and_does_not_depend_on_their_order(numbers, rng):
    kept = sorted(numbers)[1:-1]
    mean = trimmed_mean(numbers)
    assert kept[0] * (1 - 1e-9) <= mean <= kept[-1] * (1 + 1e-9)
    shuffled = list(numbers)
    rng.shuffle(shuffled)
    assert trimmed_mean(shuffled) == mean


@given(sets)
def test_one_failed_run_is_the_dropped_worst_and_two_leave_no_number(numbers):
    assert math.isfinite(trimmed_mean([*numbers, math.inf]))
    assert trimmed_mean([*numbers, math.inf, math.inf]) is None


def test_an_arm_is_valid_with_one_failed_run_and_invalid_with_two():
    assert valid(make("a", 1.0, None, 2.0, 3.0), "a")
    assert not valid(make("a", 1.0, None, None, 2.0, 3.0), "a")
    assert not valid(make("a", None), "a")
    assert not valid([], "a")


@given(st.lists(seconds, min_size=1, max_size=12))
def test_an_estimate_has_its_median_inside_its_interval_and_its_interval_inside_the_data(numbers):
    found = estimate(numbers)
    assert min(numbers) <= found.low <= found.median <= found.high <= max(numbers)
    assert found == estimate(numbers)


def test_an_infinite_number_makes_no_nan():
    found = estimate([1.0, 1.0, 2.0, math.inf, math.inf])
    assert found.median == 2.0
    assert found.high == math.inf
    assert found.as_dict()["high"] is None


def test_a_bootstrap_interval_covers_the_true_median_about_as_often_as_it_says():
    import numpy as np

    rng = np.random.default_rng(5)
    hits = [(e := estimate(rng.lognormal(0, 0.1, 15))).low <= 1.0 <= e.high for _ in range(200)]
    assert 0.88 <= sum(hits) / len(hits) <= 1.0


@given(st.lists(st.tuples(seconds, st.floats(0.1, 10)), min_size=1, max_size=10))
def test_paired_ratios_do_not_see_that_the_whole_machine_was_slower_in_a_round(rounds):
    rows = make("a", *(m * 2 for m, _ in rounds)) + make("b", *(m * r for m, r in rounds))
    for found, (_, r) in zip(paired_ratios(rows, "b", "a"), rounds, strict=True):
        assert found == pytest.approx(r / 2)


def test_a_failed_run_counts_in_ratios_as_infinitely_slow_on_either_side():
    rows = make("a", 1.0, None, 2.0, None) + make("b", 2.0, 2.0, None, None)
    assert paired_ratios(rows, "b", "a") == [2.0, 0.0, math.inf]


def test_differences_take_only_rounds_in_which_both_ran_well():
    rows = make("a", 1.0, None, 2.0) + make("b", 3.0, 2.0, 2.5)
    assert paired_differences(rows, "b", "a") == [2.0, 0.5]


def test_warm_up_rows_are_listed_but_never_counted():
    rows = [{**make("z", 9.0)[0], "warmup": True, "round": -1}, *make("z", 1.0)]
    assert arm_names(rows) == ["z"]
    assert [r["seconds"] for r in timed(rows)] == [1.0]


@given(st.floats(0.5, 0.999), st.floats(1.001, 2))
def test_the_half_width_reaches_the_further_end_and_does_not_care_which_run_came_first(low, high):
    one = half_width(Estimate(1.0, low, high, 5))
    other = half_width(Estimate(1.0, 1 / high, 1 / low, 5))
    assert one == pytest.approx(other)
    assert one >= high - 1 - 1e-12


def test_an_offset_between_two_runs_of_the_same_arm_widens_the_half_width():
    assert half_width(Estimate(1.1, 1.1, 1.1, 5)) == pytest.approx(0.1)


@given(st.floats(0.5, 4), st.floats(0, 0.5), st.floats(0.5, 4), st.floats(0, 0.03))
def test_held_and_not_held_change_places_with_the_direction(low, width, bar, itself):
    opposite = {"held": "not held", "not held": "held", "not decided here": "not decided here"}
    at_least = held((low, low + width), bar, itself, "at least")
    if {low, low + width} & {bar * (1 + itself), bar * (1 - itself)}:
        return  # what just reaches its bar holds it in either direction
    assert held((low, low + width), bar, itself, "at most") == opposite[at_least]


@given(st.floats(0.5, 4), st.floats(0, 0.5), st.floats(0.5, 4), st.floats(0, 0.03), st.floats(0, 0.03))
def test_more_noise_never_decides_what_less_noise_left_open(low, width, bar, noise, more):
    quiet, loud = sorted([noise, more])
    first = held((low, low + width), bar, quiet, "at least")
    assert held((low, low + width), bar, loud, "at least") in (first, "not decided here")


@pytest.mark.parametrize(
    ("interval", "itself", "said"),
    [
        ((1.18, 1.30), 0.02, "held"),
        ((1.16, 1.30), 0.02, "not decided here"),  # above the bar, within the noise
        ((1.00, 1.12), 0.02, "not held"),
        ((1.00, 1.14), 0.02, "not decided here"),
        ((1.90, 2.00), 0.031, "not decided here"),  # A against A wider than ±3 %
        ((math.nan, math.nan), 0.0, "not decided here"),
        ((1.2, math.inf), 0.02, "held"),
    ],
)
def test_held_wants_the_whole_interval_beyond_the_widened_bar(interval, itself, said):
    assert held(interval, 1.15, itself, "at least") == said


def test_a_wrong_direction_or_bar_is_refused_with_what_is_allowed():
    with pytest.raises(ValueError, match="'at least' or 'at most'"):
        held((1, 2), 1.1, 0.01, "above")
    with pytest.raises(ValueError, match="bar=0"):
        held((1, 2), 0, 0.01, "at least")
