"""The deciding half of spill compression: disk × data, from bytes that are still to be spilled."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asafess.core.controller import Controller
from asafess.core.mode import Rates, Sample, Scheduled
from asafess.optimizations.spill_compression import SpillCompression, thresholds
from asafess.optimizations.spill_compression_costs import EVIDENCE, SPILL, STATES, Held, costs, measured, to_spill

ZEROS = {"off": (1.0, 0.0), "mask": (0.1, 4e-10), "general": (0.1, 4e-9)}
TEXT = {"off": (1.0, 0.0), "mask": (1.0, 1e-11), "general": (0.4, 3e-9)}
NOISE = {"off": (1.0, 0.0), "mask": (1.0, 1e-11), "general": (1.0, 1e-10)}
LZ4 = {"off": (0.15, 2e-9), "mask": (0.1, 4e-10), "general": (0.1, 4e-10)}
bytes_ = st.floats(0, 1e13)


def rates(disk):
    return Rates(1e9, 1e9, 1e9, {"spill_disk": disk})


def known(data):
    kept = {f"spill_kept_{state}": one[0] for state, one in data.items()}
    return kept | {f"spill_codec_{state}": one[1] for state, one in data.items()}


def sample(disk, data, nbytes=1e9, time=0.0, workers=2):
    entries = (Scheduled("assigned", 4, {SPILL: nbytes, "compute": 1e6}),)
    return Sample(time, entries, 4, workers, rates(disk), measured=known(data) if data else {})


@pytest.mark.parametrize(
    ("disk", "data", "best"),
    [
        (5e7, ZEROS, "mask"),
        (5e7, TEXT, "general"),
        (5e7, NOISE, "off"),
        (5e7, LZ4, "mask"),
        (5e9, ZEROS, "off"),
        (5e8, TEXT, "off"),
        (5e9, LZ4, "mask"),
    ],
    ids=["zeros", "text", "noise", "lz4 before", "quick disk", "text on a quick disk", "lz4 before, quick disk"],
)
def test_what_is_best_follows_from_disk_and_data(disk, data, best):
    found = costs(sample(disk, data))
    assert min(found, key=found.get) == best
    controller = Controller([SpillCompression().declaration()], name="test")
    for k in range(40):
        controller.observe(sample(disk, data, nbytes=1e10, time=0.1 * k))
    decided = controller.state.states["spill_compression"]
    assert found[decided] == pytest.approx(found[best], rel=0.02)


@given(
    st.floats(1e6, 1e11),
    st.dictionaries(st.sampled_from(STATES), st.tuples(st.floats(0, 1), st.floats(0, 1e-6)), min_size=3),
)
def test_predicted_seconds_are_those_of_disk_and_codec(disk, data):
    found, empty = costs(sample(disk, data)), costs(sample(disk, data, nbytes=0.0))
    for state, (kept, codec) in data.items():
        assert found[state] - empty[state] == pytest.approx(0.5e9 * (kept / disk + codec), rel=1e-6, abs=1e-9)
    assert len(set(empty.values())) == 1  # nothing is spilled: no state is better


@given(st.lists(st.builds(Held, bytes_, bytes_, bytes_)), bytes_)
def test_bytes_to_spill_are_those_that_find_no_room(held, coming):
    found = to_spill(held, coming)
    assert 0 <= found <= sum(one.managed for one in held) + coming * 1.000001
    assert to_spill(held, 2 * coming) >= found
    roomy = [one._replace(room=one.managed + coming) for one in held]
    assert to_spill(roomy, coming) <= 1e-3 * (1 + coming)
    written = [one._replace(spilled=one.managed) for one in held]
    assert to_spill(written, 0.0) == 0.0


def test_what_the_disk_took_counts_more_than_what_was_measured_of_it_alone():
    one = sample(1e8, ZEROS)
    recent = {"spill_written_bytes": 4e9, "spill_write_seconds": 1.0, "spill_read_bytes": EVIDENCE - 1.0}
    found = measured(one, recent)
    assert found["spill_write"] == 0.25e-9
    assert "spill_read" not in found
    quicker = costs(Sample(0.0, one.scheduled, 4, 2, one.rates, measured=found))
    assert costs(one)["off"] - quicker["off"] == pytest.approx(0.5e9 * (0.5e-8 - 0.25e-9))
    assert measured(Sample(0.0, (), 4, 2, None, measured=found), {}) == found  # and stays


def test_what_workers_have_seen_is_per_byte():
    recent = {"spill_looked_bytes": 200.0}
    for k, state in enumerate(STATES):
        recent |= {f"spill_looked_{state}_bytes": 100.0 * k, f"spill_looked_{state}_seconds": 20.0 * k}
    found = measured(sample(1e8, None), recent)
    assert [found[f"spill_kept_{state}"] for state in STATES] == [0.0, 0.5, 1.0]
    assert [found[f"spill_codec_{state}"] for state in STATES] == [0.0, 0.1, 0.2]


@pytest.mark.parametrize(("took", "expected"), [(0.5, 2.5), (0.1, 1.0), (9.0, 5.0)], ids=["slow", "quick", "stopped"])
def test_slowness_is_what_the_codec_took_over_what_was_predicted(took, expected):
    recent = {"spill_predicted_seconds": 0.2, "spill_encode_seconds": 0.8 * took, "spill_decode_seconds": 0.2 * took}
    assert measured(sample(1e8, None), recent)["spill_slowness"] == pytest.approx(expected)
    assert "spill_slowness" not in measured(sample(1e8, None), {**recent, "spill_predicted_seconds": 0.01})


def test_a_slowness_that_is_no_longer_seen_is_forgotten():
    one = {"spill_slowness": 3.0, "spill_slowness_time": 100.0}
    for k in range(1, 61):
        one = measured(Sample(100.0 + k, (), 4, 2, None, measured=one), {})
    assert one["spill_slowness"] == pytest.approx(1 + 2 / math.e)


def test_where_codecs_are_slow_the_lighter_one_is_best():
    # a text on a disk of 100 MB/s: lz4 by Dask, or zstd
    text = {"off": (0.44, 2.6e-9), "mask": (1.0, 1e-11), "general": (0.27, 4.1e-9)}
    alone = sample(1e8, text)
    among = Sample(0.0, alone.scheduled, 4, 2, alone.rates, measured=known(text) | {"spill_slowness": 2.0})
    found, slower = costs(alone), costs(among)
    assert min(found, key=found.get) == "general"
    assert min(slower, key=slower.get) == "off"
    assert slower["general"] - found["general"] == pytest.approx(0.5e9 * 4.1e-9)


def test_before_anything_was_spilled_the_disk_says_where_to_start():
    # a look is all that *general* may cost, so it is enough that a text pays at all
    starts = [SpillCompression().domain(rates(disk))("off", {}) for disk in (5e7, 1.4e8, 1.6e8, 5e8, 1e11)]
    assert starts == ["general", "general", "mask", "mask", "off"]
    assert costs(sample(5e7, None)) is None
    assert costs(Sample(0.0, (), 4, 2, rates(5e7), measured=known(ZEROS))) is None


def test_on_a_disk_on_which_no_text_pays_zeros_decide_with_hysteresis():
    domain, at = SpillCompression().domain(rates(5e8)), thresholds(rates(5e8))
    assert 0 < at.zeros_off < at.zeros_on < 0.75
    between = {"zeros": (at.zeros_on + at.zeros_off) / 2}
    assert [domain(state, between) for state in ("off", "mask")] == ["off", "mask"]
    assert domain("off", {"zeros": at.zeros_on * 1.01}) == "mask"
    assert domain("mask", {"zeros": at.zeros_off * 0.99}) == "off"
    assert domain("general", {"zeros": 1.0}) == "mask"


@given(st.floats(1e3, 1e13))
def test_thresholds_are_numbers_on_any_disk(disk):
    found = SpillCompression().thresholds(rates(disk))
    assert all(math.isfinite(one) for one in found.values())
    assert found["zeros_on"] > found["zeros_off"] > 0
