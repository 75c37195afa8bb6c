import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import RATES, samples

from asafess.core.mode import Sample, Scheduled, Window, mode_vector, problem, total_load


@given(samples(), st.randoms())
def test_the_order_of_types_and_workers_does_not_matter_to_the_last_bit(sample, random):
    shuffled = list(sample.scheduled)
    random.shuffle(shuffled)
    assert total_load(shuffled) == total_load(sample.scheduled)


@given(samples())
def test_a_sample_of_finite_loads_has_no_problem(sample):
    assert problem(sample) is None


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0])
def test_a_load_that_is_nan_infinite_or_negative_is_a_problem(bad):
    sample = Sample(0.0, (Scheduled("t", 1, {"compute": bad}),), 1, 1, RATES)
    assert "load on compute of type 't'" in problem(sample)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"time": math.nan}, "time"),
        ({"workers": 0}, "0 workers"),
        ({"threads": 0}, "0 threads"),
        ({"zeros": 1.5}, "zeros"),
        ({"zeros": math.nan}, "zeros"),
        ({"rates": replace(RATES, link=0.0)}, "rate link"),
        ({"rates": replace(RATES, extra={"scan": math.nan})}, "rate scan"),
        ({"scheduled": (Scheduled("t", -1, {}),)}, "-1 tasks"),
    ],
)
def test_what_can_not_be_is_a_problem_that_is_named(change, says):
    assert says in problem(replace(Sample(0.0, (), 1, 1, RATES), **change))


def test_a_type_with_no_task_scheduled_loads_nothing():
    assert total_load([Scheduled("t", 0, {"compute": 5.0}, queued=3)]) == {}


@given(st.lists(st.tuples(st.floats(0.001, 0.3), st.floats(0, 1e6)), min_size=1, max_size=40))
def test_a_window_is_the_integral_over_its_length_divided_by_its_length(steps):
    window, time, seen = Window(1.0), 0.0, []
    for gap, amount in steps:
        time += gap
        seen.append((time, amount))
        average = window.add(time, {"compute": amount})["compute"]
        inside = [(at, a) for at, a in seen if at >= time - 1.0]
        area = sum((t1 - t0) * (a0 + a1) / 2 for (t0, a0), (t1, a1) in pairwise(inside))
        expected = area / (time - inside[0][0]) if len(inside) > 1 else amount
        assert average == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(st.lists(st.floats(0.001, 0.3), max_size=40), st.floats(0, 1e6))
def test_what_does_not_change_is_its_own_average(gaps, amount):
    window, time = Window(1.0), 0.0
    for gap in (0.0, *gaps):
        time += gap
        assert window.add(time, {"compute": amount})["compute"] == pytest.approx(amount)


def test_a_short_graph_counts_with_what_it_loaded_when_it_arrived():
    window = Window(1.0)
    window.add(0.0, {"compute": 1e9})
    # the tick finds only the last, small task
    assert window.add(0.05, {"communication": 1.0}) == {"communication": 0.5, "compute": 5e8}


def test_a_clock_that_jumps_back_gives_no_weight():
    window = Window(1.0)
    window.add(5.0, {"compute": 1.0})
    window.add(6.0, {"compute": 3.0})
    assert window.add(3.0, {"compute": 99.0}) == {"compute": 2.0}


@pytest.mark.parametrize("bad", [0, -1, math.nan, math.inf])
def test_a_window_without_length_is_refused(bad):
    with pytest.raises(ValueError, match="positive number of seconds"):
        Window(bad)


def test_the_ratio_counts_compute_per_thread_and_bytes_per_worker():
    sample = Sample(0.0, (), threads=8, workers=2, rates=RATES)
    # 4 s of computing on 8 threads against 1 s of moving on 2 links
    assert mode_vector({"compute": 4e9, "communication": 1e8}, sample)["ratio"] == pytest.approx(1.0)


def test_the_slower_of_computing_and_touching_memory_counts():
    sample = Sample(0.0, (), threads=1, workers=1, rates=RATES)
    assert mode_vector({"compute": 1e9, "memory": 3e9, "communication": 1e8}, sample)["ratio"] == pytest.approx(3.0)


def test_where_nothing_is_moved_the_ratio_is_infinite_and_where_nothing_is_done_there_is_none():
    sample = Sample(0.0, (), 1, 1, RATES)
    assert mode_vector({"compute": 1.0}, sample)["ratio"] == math.inf
    assert "ratio" not in mode_vector({}, sample)
    assert "ratio" not in mode_vector({"compute": 1.0}, replace(sample, rates=None))
