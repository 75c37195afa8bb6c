import pytest
from hypothesis import given
from hypothesis import strategies as st

from asafess.core.cheaper import cheaper

SECONDS = st.floats(0, 1e9)


def domain(times):
    return cheaper(("off", "on"), lambda vector: dict(vector) or None, times)


@given(SECONDS, SECONDS, st.floats(1, 10))
def test_the_quicker_state_is_entered_and_kept_within_the_band(off, on, times):
    says = domain(times).table({"off": off, "on": on})
    assert says["off"] == ("on" if off > times * on else "off")
    assert says["on"] == ("off" if on > off else "on")


def test_what_is_not_known_leaves_the_state_as_it_is():
    assert domain(1.1).table({}) == {"off": "off", "on": "on"}


def test_it_says_by_which_seconds():
    assert domain(1.5).explain("off", {"off": 4.0, "on": 2.0}) == "off would take 4 s, more than 1.5 × the 2 s of on"
    assert domain(1.5).explain("on", {"off": 1.0, "on": 2.0}) == "on would take 2 s, more than the 1 s of off"


@pytest.mark.parametrize("times", [0.9, float("nan")])
def test_a_band_that_overlaps_is_refused(times):
    with pytest.raises(ValueError, match="at least as long"):
        domain(times)
