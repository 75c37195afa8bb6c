import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asafess.core.mode import Rates
from asafess.optimizations.tile_compression import TileCompression, thresholds

rate = st.floats(1e6, 1e11)
rates = st.builds(
    Rates,
    flop=rate,
    memory=rate,
    link=rate,
    extra=st.fixed_dictionaries({"scan": rate, "copy": rate, "dense_product": rate, "sparse_product": rate}),
)


@given(rates)
def test_thresholds_are_ordered_on_every_cluster(some):
    at = thresholds(some)
    assert 0 <= at.alpha_full <= at.alpha <= at.beta
    assert at.alpha_full <= at.beta_full <= at.beta
    assert 0 <= at.zeros_off <= at.zeros_on


@given(rates, st.floats(1.0, 100.0))
def test_a_slower_link_never_asks_for_more_zeros(some, factor):
    slower = Rates(some.flop, some.memory, some.link / factor, extra=some.extra)
    assert thresholds(slower).zeros_on <= thresholds(some).zeros_on


@given(rates)
def test_at_the_zeros_of_break_even_saving_and_cost_are_equal(some):
    at = thresholds(some)
    z = at.zeros_off
    if z <= 1:
        link, multiply = 1 / some.link, 1 / some.extra["dense_product"]
        scan, copy = 1 / some.extra["scan"], 1 / some.extra["copy"]
        assert z * (link + multiply) == pytest.approx(z * scan + (1 - z) * copy)


def test_a_link_that_is_quicker_than_a_look_never_switches_on():
    fast = Rates(1e11, 1e10, 1e11, extra={"scan": 1e9, "copy": 1e9, "dense_product": 1e11, "sparse_product": 1e9})
    domain = TileCompression().domain(fast)
    assert domain("off", {}) == "off"
    assert domain("off", {"ratio": 0.0, "zeros": 1.0}) == "off"


SLOW = Rates(1e10, 1e10, 1.2e8)


@pytest.mark.parametrize("state", ["off", "light", "full"])
def test_on_needs_a_low_ratio_and_enough_zeros(state):
    domain = TileCompression().domain(SLOW)
    assert domain(state, {"ratio": 0.01, "zeros": 0.9}) == "full"
    assert domain(state, {"ratio": 50.0, "zeros": 0.9}) == "off"
    assert domain(state, {"ratio": 0.01, "zeros": 0.0}) == "off"
    assert domain(state, {"ratio": math.inf, "zeros": 0.9}) == "off"


def test_between_the_two_bands_tiles_that_also_save_compute_are_compressed():
    # multiplying the densest compressed tile takes eight times as long as a dense one
    slow_sparse = Rates(1e10, 1e10, 1e8, extra={"dense_product": 1e10, "sparse_product": 1e8})
    at = thresholds(slow_sparse)
    assert at.alpha_full < at.alpha
    domain = TileCompression().domain(slow_sparse)
    assert domain("off", {"ratio": (at.alpha_full + at.alpha) / 2, "zeros": 0.9}) == "light"


def test_thresholds_that_are_given_stay_as_given():
    at = thresholds(SLOW, alpha=0.25, beta=0.5, zeros=0.4)
    assert (at.alpha, at.beta, at.zeros_on) == (0.25, 0.5, 0.4)
    assert thresholds(SLOW, beta=0.5).alpha <= 0.5


@pytest.mark.parametrize(
    "bad",
    [
        *({"alpha": 2, "beta": 1}, {"alpha": -1}, {"beta": float("nan")}, {"zeros": 2}, {"threshold": 0}),
        {"break_even": {"float64": {"light": 2}}},
    ],
)
def test_what_can_not_be_is_refused_when_it_is_made(bad):
    with pytest.raises(ValueError, match=r"alpha|zeros|threshold|break-even"):
        TileCompression(**bad)


def test_entering_and_leaving_act_on_the_door_and_put_it_back():
    from asafess.tiles import door

    optimization = TileCompression()
    before = door.form()
    optimization.enter("full")
    optimization.enter("full")
    assert door.form() == "full"
    optimization.leave()
    assert door.form() == before == "off"


def limit():
    from asafess.tiles import layout

    return int(layout.limits("light", (128, 128), 128, np.dtype("float64"))[0])


def test_given_densities_travel_with_the_optimization_and_go_when_it_leaves():
    optimization = pickle.loads(pickle.dumps(TileCompression(break_even={"float64": {"light": 0.25}})))
    optimization.enter("light")
    assert limit() == 4096
    optimization.leave()
    assert limit() == 128


def test_a_worker_derives_light_from_the_rates_that_it_measures_for_each_of_its_data_types():
    from asafess.tiles import densities
    from asafess.tiles.break_even import light

    optimization = TileCompression()
    optimization.prepare(["float64", "float32"])
    try:
        found = optimization.rates()
        assert limit() == math.ceil(16384 * light(found, 8))
        assert densities.density("light", np.dtype("float32")) is not None
        assert densities.density("light", np.dtype("int8")) is None
        optimization.enter("light")
        assert limit() == math.ceil(16384 * light(found, 8))
    finally:
        optimization.leave()
    assert limit() == 128


@pytest.mark.parametrize("budget", ["x", None, "0.01", True, -0.1, 0.2, float("nan")])
def test_a_probe_budget_that_is_no_share_is_refused(budget):
    with pytest.raises(ValueError, match=r"asafess\.tile-compression\.probe-budget must be a share"):
        TileCompression(probe_budget=budget)
