import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asafess.core.mode import Rates, Sample, Scheduled
from asafess.optimizations.wire_compression import HIDDEN, WireCompression, thresholds
from asafess.optimizations.wire_compression_costs import FORGOTTEN, SLOWEST, STATES, costs, measured
from asafess.wire.figures import LEAST_GAIN, Figures, choose

rate = st.floats(1e6, 1e12)
rates = st.builds(
    Rates,
    flop=rate,
    memory=rate,
    link=rate,
    extra=st.fixed_dictionaries({}, optional={"wire_scan": rate, "wire_copy": rate, "wire_general": rate}),
)
share = st.floats(0.0, 1.0)


@given(rates)
def test_thresholds_are_ordered_on_every_cluster(some):
    at = thresholds(some)
    assert 0 <= at.alpha_general <= at.alpha <= at.beta
    assert at.alpha_general <= at.beta_general <= at.beta
    assert 0 < at.zeros_off <= at.zeros_on


@given(rates, st.floats(1.0, 1000.0))
def test_a_slower_link_asks_for_no_more_zeros_and_no_smaller_ratio(some, factor):
    slower, at = thresholds(Rates(some.flop, some.memory, some.link / factor, extra=some.extra)), thresholds(some)
    assert slower.zeros_on <= at.zeros_on * (1 + 1e-9)
    assert slower.alpha >= at.alpha
    assert slower.alpha_general >= at.alpha_general


@given(rates)
def test_at_the_zeros_of_break_even_saving_and_cost_are_equal(some):
    z = thresholds(some).zeros_off
    if 0.32 < z <= 1:  # below, Dask sets the limit
        scan = 1 / some.extra.get("wire_scan", 1e10)
        copy = 1 / some.extra.get("wire_copy", 1.4e9)
        assert (z - 1 / 64) / some.link == pytest.approx(scan + (1 - z) * copy)


@given(rates, st.sampled_from(STATES), st.fixed_dictionaries({}, optional={"ratio": st.floats(0, 1e6), "zeros": share}))
def test_the_domain_stays_where_it_has_gone(some, state, vector):
    domain = WireCompression().domain(some)
    once = domain(state, vector)
    assert domain(once, vector) == once


@pytest.mark.parametrize(
    ("link", "start"), [(1.25e7, "general"), (2e8, "general"), (1e9, "mask"), (1e10, "off"), (1e12, "off")]
)  # 100 Mbit/s, 1.6 and 8 Gbit/s, and more than a processor can look at
def test_it_starts_where_the_link_points(link, start):
    assert WireCompression().domain(Rates(1e10, 1e10, link))("off", {}) == start


@given(rates, st.floats(0.05, 0.49))
def test_a_library_comes_into_question_where_workers_would_take_it_behind_other_messages(some, kept):
    general, at = some.extra.get("wire_general", 3e8), thresholds(some)
    figures = {"lz4": Figures(1 / general, 0.0)}
    for rate, pays in ((1.01, True), (0.99, False)):  # on either side of the threshold
        link = HIDDEN * general / rate
        found = thresholds(Rates(some.flop, some.memory, link, extra=some.extra))
        assert (choose({"lz4": kept}, figures, link, hidden=True, gain=LEAST_GAIN) is not None) == pays
        assert (found.alpha_general >= 1) == (pays and found.alpha > 0)
    assert at.alpha_general == 0 or at.alpha_general >= 1


FAST, SLOW = Rates(1e10, 1e10, 1e9), Rates(1e10, 1e10, 1.25e7)


@pytest.mark.parametrize("state", STATES)
def test_on_a_link_where_only_the_mask_pays_zeros_and_ratio_decide(state):
    domain = WireCompression().domain(FAST)
    assert domain(state, {"ratio": 0.01, "zeros": 0.9}) == "mask"
    assert domain(state, {"ratio": 0.01, "zeros": 0.0}) == "off"
    assert domain(state, {"ratio": 1e3, "zeros": 0.9}) == "off"
    assert domain(state, {"ratio": math.inf, "zeros": 0.9}) == "off"


@pytest.mark.parametrize("state", STATES)
def test_on_a_slow_link_the_ratio_alone_decides_because_a_text_has_no_zeros(state):
    domain = WireCompression().domain(SLOW)
    assert domain(state, {"ratio": 0.01, "zeros": 0.0}) == "general"
    assert domain(state, {"ratio": 1.0, "zeros": 0.9}) == "general"
    assert domain(state, {"ratio": 100.0, "zeros": 0.9}) == ("off" if state == "off" else "mask") or state == "off"
    assert domain(state, {"ratio": 1e5, "zeros": 0.9}) == "off"


def sample(link=1e8, known=None, load=None):
    scheduled = (Scheduled("move", 1, {"communication": 1e9, **(load or {})}),)
    return Sample(0.0, scheduled, 2, 2, Rates(1e9, 1e9, link), measured=known or {})


@given(share, st.floats(0, 1e-7), share, st.floats(0, 1e-7), st.floats(1e6, 1e12), st.floats(0, 1e12))
def test_costs_are_those_of_moving_what_is_kept_and_of_the_codec(kept_mask, mask, kept_general, general, link, flop):
    known = {"wire_kept_mask": kept_mask, "wire_codec_mask": mask}
    known |= {"wire_kept_general": kept_general, "wire_codec_general": general}
    found = costs(sample(link, known, {"compute": flop}))
    assert set(found) == set(STATES)
    moved, computed = 5e8, flop / 1e9 / 2
    waited = min(1, moved / link / computed) if computed else 1
    assert found["off"] == pytest.approx(computed + waited * moved / link)
    assert found["mask"] == pytest.approx(computed + waited * kept_mask * moved / link + mask * moved)
    assert found["general"] == pytest.approx(computed + waited * kept_general * moved / link + general * moved)
    # off is the dearest exactly where more is saved than paid
    assert (found["mask"] < found["off"]) == (waited * kept_mask / link + mask < waited / link) or found[
        "mask"
    ] == pytest.approx(found["off"])


@pytest.mark.parametrize("slowness", [1.0, 3.0])
def test_where_no_core_is_idle_copying_hides_behind_nothing_and_slows_as_the_codec_does(slowness):
    known = {"wire_kept_mask": 0.1, "wire_codec_mask": 5e-10, "wire_kept_general": 0.1, "wire_codec_general": 5e-10}
    known |= {"wire_slowness": slowness}
    computed, moved = 2.0, 5e8
    hidden = costs(sample(1e9, known, {"compute": 4e9}))
    assert hidden["off"] == pytest.approx(computed + 0.25 * moved * 1e-9)
    assert hidden["off"] < hidden["mask"]
    crowded = costs(sample(1e9, {**known, "wire_copying": 8e-10}, {"compute": 4e9}))
    assert crowded["off"] == pytest.approx(computed + slowness * moved * 8e-10)
    assert crowded["mask"] == pytest.approx(computed + slowness * moved * (0.1 * 8e-10 + 5e-10))
    assert crowded["mask"] < crowded["off"]
    # a link that is slow is not the processors' affair
    slow, same = (costs(sample(1e7, {**known, **more})) for more in ({}, {"wire_copying": 8e-10}))
    assert slow == same


def test_nothing_is_predicted_before_anything_is_known():
    assert costs(sample()) is None
    assert costs(Sample(0.0, (), 1, 1, None, measured={"wire_kept_mask": 1.0})) is None


def test_what_was_known_stays_until_there_is_something_newer():
    known = {"wire_kept_mask": 0.5, "wire_codec_mask": 1e-9, "wire_copying": 2e-9, "other": 1.0}
    assert measured(sample(known=known), "off", {}, {}) == {name: known[name] for name in known if name != "other"}
    newer = {"wire_sampled_bytes": 100.0}
    newer |= {f"wire_sampled_{state}_{what}": 20.0 for state in STATES[1:] for what in ("bytes", "seconds")}
    assert measured(sample(known=known), "off", newer, {})["wire_kept_mask"] == 0.2
    newer["wire_sampled_copying_seconds"] = 50.0
    assert measured(sample(known=known), "off", newer, {})["wire_copying"] == 0.5


@pytest.mark.parametrize(("took", "expected"), [(0.05, 1.0), (0.2, 2.0), (10.0, SLOWEST)])
def test_slowness_is_what_it_took_over_what_was_predicted(took, expected):
    recent = {"wire_predicted_seconds": 0.1, "wire_encode_seconds": took / 2, "wire_decode_seconds": took / 2}
    assert measured(sample(), "mask", recent, {})["wire_slowness"] == expected
    little = {name: value / 100 for name, value in recent.items()}
    assert "wire_slowness" not in measured(sample(), "mask", little, {})


def test_a_slowness_that_is_no_longer_seen_is_forgotten_however_often_one_looks():
    def after(*times):
        known = {"wire_slowness": 3.0, "wire_slowness_time": 100.0}
        for time in times:
            known = measured(Sample(time, (), 2, 2, SLOW, measured=known), "off", {}, {})
        return known["wire_slowness"]

    assert after(100.0) == 3.0
    assert after(100.0 + FORGOTTEN) == pytest.approx(1 + 2 / math.e)
    assert after(*(100.0 + FORGOTTEN * k / 100 for k in range(101))) == pytest.approx(1 + 2 / math.e)
    assert after(99.0) == 3.0


def test_it_travels_and_takes_no_settings():
    assert pickle.loads(pickle.dumps(WireCompression())).name == "wire_compression"
    with pytest.raises(TypeError):
        WireCompression(alpha=1)
