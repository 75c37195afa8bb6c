"""What each state would make of a frame."""

import math

from hypothesis import given
from hypothesis import strategies as st

from asafess.wire.figures import CROWDED, DEFAULTS, MASKS
from asafess.wire.forecast import STATES, Active, amounts, choice
from asafess.wire.sample import Look

NAMES = ("lz4", "zstd")
shares = st.fixed_dictionaries(dict.fromkeys((*MASKS, *NAMES), st.floats(0.01, 1.1)))
links = st.floats(1e6, 1e10)


def active(link):
    return Active("off", link, DEFAULTS, NAMES, True)


def seconds(found, state, link):
    return found[f"wire_sampled_{state}_bytes"] / link + found[f"wire_sampled_{state}_seconds"]


@given(shares, links, st.booleans())
def test_the_mask_is_one_of_what_general_may_take_and_off_is_none(kept, link, hidden):
    of_mask, general = (choice(kept, active(link), state, hidden) for state in ("mask", "general"))
    assert of_mask is None or of_mask in MASKS
    if of_mask is not None:
        assert general is not None


@given(shares, links, st.floats(0.0, 1.0))
def test_what_is_said_of_a_mixture_lies_between_what_is_waited_for_and_what_is_hidden(kept, link, hidden):
    look = Look(1000, 0, kept)
    found, waits, is_hidden = (amounts(look, 1e6, 0, active(link), share, 0.0) for share in (hidden, 0.0, 1.0))
    for state in STATES[1:]:
        of_two = sorted((seconds(waits, state, link), seconds(is_hidden, state, link)))
        assert of_two[0] * (1 - 1e-9) <= seconds(found, state, link) <= of_two[1] * (1 + 1e-9)


@given(shares, links, st.floats(0.0, 1.0))
def test_no_state_is_predicted_to_be_slower_than_raw_but_for_looking(kept, link, hidden):
    reading = amounts(Look(0, 0, {}), 0.0, 0, active(link), 0.0, 0.0)["wire_sampled_mask_seconds"]
    found = amounts(Look(1000, 0, kept), 1e6, 0, active(link), hidden, 0.0)
    for state in STATES[1:]:
        assert seconds(found, state, link) <= (1e6 / link + reading) * (1 + 1e-9)


def test_behind_other_messages_a_codec_that_is_as_fast_as_the_link_costs_nothing():
    kept = {**dict.fromkeys(MASKS, 1.0), "lz4": 0.5}
    codec = DEFAULTS["lz4"].seconds(0.5)
    link = 0.5 / (codec * CROWDED)
    found = amounts(Look(1000, 0, kept), 1e6, 0, active(link), 1.0, 0.0)
    nothing = amounts(Look(1000, 0, kept), 0.0, 0, active(link), 1.0, 0.0)
    assert found["wire_sampled_general_seconds"] == nothing["wire_sampled_general_seconds"]
    assert found["wire_sampled_general_bytes"] == 0.5e6


def test_what_would_win_less_than_a_tenth_leaves_as_it_is():
    kept = {"lz4": 0.5}
    codec = DEFAULTS["lz4"].seconds(0.5) * CROWDED
    for gain, name in ((0.11, "lz4"), (0.09, None)):
        link = (0.5 - gain) / codec  # encoding and what is sent then take 1 - gain of the time of a raw frame
        assert choice(kept, active(link), "general", False) == name


@given(shares, links, st.floats(0.0, 1.0))
def test_copying_is_said_of_the_frames_that_find_no_idle_core(kept, link, crowded):
    found = amounts(Look(1000, 0, kept), 1e6, 0, active(link)._replace(copying=2e-9), 0.0, crowded)
    assert math.isclose(found["wire_sampled_copying_seconds"], crowded * 2e-3)
    alone = amounts(Look(1000, 0, kept), 1e6, 0, active(link), 0.0, 0.0)
    assert alone == {**found, "wire_sampled_copying_seconds": 0.0}  # of a codec it is no matter
