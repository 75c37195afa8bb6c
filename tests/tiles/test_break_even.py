"""Break-even densities: their arithmetic, and how they are measured."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from asafess.tiles import break_even, densities, layout, rates

some = st.floats(1e6, 1e12)


@given(some, some, st.sampled_from([1, 2, 4, 8]))
def test_at_the_light_density_both_products_take_as_long(dense, sparse, itemsize):
    at = break_even.light({"dense_product": dense, "sparse_product": sparse}, itemsize)
    assert 0 < at <= 1
    assume(at < 1)
    assert at / sparse == pytest.approx(itemsize / dense)


@given(*[some] * 4, *[st.floats(0, 1e9)] * 4, st.floats(0, 1e6), st.floats(1, 10))
def test_more_products_never_make_recoding_a_loss(dense, sparse, scan, copy, removed, entries, looked, gathered, k, f):
    speeds = {"dense_product": dense, "sparse_product": sparse, "scan": scan, "copy": copy}
    if break_even.pays(speeds, k, removed, entries, looked, gathered):
        assert break_even.pays(speeds, k * f, removed, entries, looked, gathered)
    saving, cost = removed / dense - entries / sparse, looked / scan + gathered / copy
    assert break_even.pays(speeds, k, removed, entries, looked, gathered) == (saving * k > cost)


@given(st.lists(st.floats(1e-9, 1), min_size=2, max_size=8), st.floats(1e-9, 1))
def test_the_crossing_lies_where_the_line_meets_the_level(seconds, level):
    seconds = sorted(seconds)
    knots = np.linspace(0, 1, len(seconds)).tolist()
    at = break_even.crossing(knots, seconds, level)
    assert 0 <= at <= 1
    if seconds[0] < level < seconds[-1]:
        assert np.interp(at, knots, seconds) == pytest.approx(level, rel=1e-6)


@pytest.mark.parametrize(("dtype", "tile"), [("float32", 128), ("float64", 512)])
def test_full_as_measured_is_the_arithmetic_of_bytes(dtype, tile, monkeypatch):
    monkeypatch.setattr(rates, "SIZE", 8 << 20)
    found = break_even.measure(dtype, tile, seconds=0.02)
    entry = layout.entry_bytes(found.dtype, tile, rates.panel(dtype, tile, 0.0, "sparse").shape[1])
    assert found.full == pytest.approx(found.dtype.itemsize / entry)
    assert (found.word_bytes, found.entry_bytes) == (found.dtype.itemsize, entry)


def test_light_as_measured_separates_what_was_faster_from_what_was_slower(monkeypatch):
    monkeypatch.setattr(rates, "SIZE", 4 << 20)
    found = break_even.measure("float64", 64, seconds=0.02)
    measured = list(found.sparse_seconds)
    assert measured == sorted(measured)
    assert {0.0, 1.0} <= set(measured)
    below = [d for d in measured if d < found.light]
    assert all(found.sparse_seconds[d] <= found.dense_seconds for d in below)
    assert densities.density("light", np.dtype("float64")) is None  # measuring changes nothing
