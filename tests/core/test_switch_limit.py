import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asafess.core.switch_limit import SwitchLimit

# quarters of seconds, so that differences are exact; 0: the clock stands still
steps = st.lists(st.integers(0, 160).map(lambda quarters: quarters / 4), max_size=60)


@given(st.integers(1, 5), steps)
def test_no_60_seconds_hold_more_switches_than_the_limit_and_none_is_refused_without_need(per_minute, steps):
    limit = SwitchLimit(per_minute)
    time, made = 0.0, []
    for step in steps:
        time += step
        in_window = sum(time - before <= 60 for before in made)
        assert limit.left(time) == per_minute - in_window
        assert limit.allows(time) == (in_window < per_minute)
        if limit.allows(time):
            limit.note(time)
            made.append(time)
    for start in made:
        assert sum(start <= moment <= start + 60 for moment in made) <= per_minute


@given(st.integers(1, 4), steps)
def test_switches_that_had_to_be_made_count_too(per_minute, steps):
    limit = SwitchLimit(per_minute)
    time, made = 0.0, []
    for step in steps:
        time += step
        limit.note(time)
        made.append(time)
        assert limit.allows(time) == (sum(time - before <= 60 for before in made) < per_minute)
        assert limit.left(time) >= 0


def test_asking_changes_nothing():
    limit = SwitchLimit(1)
    limit.note(0.0)
    assert limit.allows(1000.0)
    assert not limit.allows(1.0)


def test_a_clock_that_stands_still_holds_back_and_one_that_goes_on_lets_go():
    limit = SwitchLimit(2)
    limit.note(5.0)
    limit.note(5.0)
    assert not any(limit.allows(5.0) for _ in range(1000))
    assert not limit.allows(65.0)
    assert limit.allows(65.25)


def test_a_clock_that_jumps_back_stands_still_until_it_has_caught_up():
    limit = SwitchLimit(1)
    limit.note(100.0)
    assert not limit.allows(0.0)
    assert limit.allows(161.0)
    limit.note(0.0)
    assert not limit.allows(159.0)
    assert limit.allows(161.0)


def test_without_a_limit_everything_is_allowed():
    limit = SwitchLimit(None)
    for _ in range(10):
        limit.note(0.0)
    assert limit.allows(0.0)
    assert limit.left(0.0) == math.inf


@pytest.mark.parametrize("per_minute", [0, -1, 1.5, True, "3", math.nan, 1_000_001, 10**20])
def test_a_limit_that_is_no_count_is_refused(per_minute):
    with pytest.raises(ValueError, match="whole number from 1 to 1000000, or None"):
        SwitchLimit(per_minute)


@pytest.mark.parametrize("time", [math.nan, math.inf])
def test_a_time_that_is_none_is_refused(time):
    with pytest.raises(ValueError, match="finite"):
        SwitchLimit(1).allows(time)
