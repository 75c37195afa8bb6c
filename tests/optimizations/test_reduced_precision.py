"""The deciding half of reduced precision: the link against rounding, and arrays that do not fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asafess.core.mode import Rates, Sample, Scheduled
from asafess.optimizations.reduced_precision import FORGOTTEN, ReducedPrecision, seconds

RATES = Rates(1e9, 1e9, 1e8, {"reduced": 1e9})


def sample(measured=None, time=0.0, rates=RATES, moved=1e9):
    return Sample(time, (Scheduled("move", 2, {"communication": moved}),), 4, 2, rates, measured=measured or {})


@given(st.floats(1, 1e15), st.floats(1e3, 1e13), st.floats(1e3, 1e13), st.floats(0, 1))
def test_on_is_better_where_half_of_the_share_takes_longer_than_rounding_all(moved, link, rate, share):
    found = seconds({"communication": moved}, Rates(1e9, 1e9, link, {"reduced": rate}), share)
    saved, spent = share / 2 * moved / link, moved / rate
    assert found["off"] - found["on"] == pytest.approx(saved - spent, rel=1e-6, abs=1e-9 * (found["off"] + spent))


def test_it_is_on_over_a_slow_link_and_off_over_a_quick_one_from_the_start():
    one = ReducedPrecision()
    costs = one.costs(sample())
    assert costs == {"off": 5.0, "on": 3.0}
    quick = one.domain(Rates(1e9, 1e9, 1e10))
    assert [one.domain(RATES)("off", {"communication": 1.0}), quick("on", {"communication": 1.0})] == ["on", "off"]
    assert [one.domain(RATES)("off", {}), quick("on", {})] == ["on", "off"]
    assert one.costs(sample(rates=None)) is one.costs(sample(moved=0.0)) is None


def test_arrays_that_do_not_fit_make_it_dear_until_that_is_forgotten():
    one = ReducedPrecision()
    known = one.measured(sample(), "on", {"reduced_logical_bytes": 1e6, "reduced_refused_bytes": 3e6}, {})
    assert known["reduced_share"] == 0.25
    known = one.measured(sample(known), "on", {"reduced_refused_bytes": 3e6}, {})
    costs = one.costs(sample(known))
    assert costs["on"] > costs["off"]
    for k in range(1, 101):
        known = one.measured(sample(known, time=k * FORGOTTEN / 20), "off", {}, {})
    assert 0.99 < known["reduced_share"] < 1
    costs = one.costs(sample(known))
    assert costs["on"] < costs["off"]
    assert one.measured(sample(), "off", {}, {}) == {}
