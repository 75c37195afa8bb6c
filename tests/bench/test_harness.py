import itertools
import json
import math
from collections import Counter

import numpy as np
import pytest
from asafess.bench.harness import Arm, Outcome, measure, order, write_json
from asafess.bench.scores import timed, valid
from hypothesis import given
from hypothesis import strategies as st


class Clock:
    """Seconds that pass only where a test says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def passes(self, seconds):
        self.now += seconds


@given(st.lists(st.text(min_size=1), min_size=1, max_size=6, unique=True), st.integers(0, 100), st.integers())
def test_an_order_is_a_permutation_that_depends_on_seed_and_round_alone(names, number, seed):
    found = order(names, number, seed)
    assert Counter(found) == Counter(names)
    assert found == order(names, number, seed)


@given(st.integers(1, 8), st.integers(0, 5), st.integers())
def test_every_arm_is_at_each_place_and_right_after_each_other_one_equally_often(count, block, seed):
    names = list("abcdefgh"[:count])
    length = count if count % 2 == 0 else 2 * count
    orders = [order(names, block * length + number, seed) for number in range(length)]
    places = Counter((place, name) for one in orders for place, name in enumerate(one))
    assert set(places.values()) == {length // count}
    assert len(places) == count**2
    followers = Counter(pair for one in orders for pair in itertools.pairwise(one))
    assert len(set(followers.values())) <= 1
    assert len(followers) == count * (count - 1)


def test_only_the_run_is_on_the_clock():
    clock = Clock()
    arm = Arm("a", lambda: clock.passes(2.0), prepare=lambda: clock.passes(50.0))
    result = measure(
        [arm], rounds=2, clock=clock, verify=lambda _: clock.passes(7.0), prepare=lambda: clock.passes(100.0)
    )
    assert {row["seconds"] for row in result.rows} == {2.0}


def test_the_first_run_is_warm_up_so_that_compilation_is_outside_the_numbers_but_on_record():
    clock = Clock()
    cost = iter([30.0, 1.0, 1.0, 1.0, 1.0])
    result = measure([Arm("a", lambda: clock.passes(next(cost)))], rounds=2, clock=clock)
    assert [r["seconds"] for r in result.rows if r["warmup"]] == [30.0]
    assert {r["seconds"] for r in timed(result.rows)} == {1.0}


def test_one_arm_runs_twice_per_round_and_the_others_once():
    clock = Clock()
    arms = [Arm(name, lambda: clock.passes(1.0)) for name in ("off", "adaptive")]
    result = measure(arms, rounds=4, clock=clock, against_itself="adaptive")
    counts = Counter(r["arm"] for r in timed(result.rows))
    assert counts == {"off": 4, "adaptive": 4, "adaptive again": 4}
    assert result.itself.median == 1.0
    assert result.half_width == 0.0


def test_arms_are_interleaved_round_by_round():
    clock = Clock()
    arms = [Arm(name, lambda: clock.passes(1.0)) for name in "abc"]
    rows = timed(measure(arms, rounds=5, clock=clock).rows)
    for number in range(5):
        here = [r for r in rows if r["round"] == number]
        assert {r["arm"] for r in here} == {"a", "a again", "b", "c"}
        assert [r["order"] for r in here] == [0, 1, 2, 3]
    assert len({tuple(r["arm"] for r in rows if r["round"] == n) for n in range(5)}) > 1


@pytest.mark.parametrize(
    ("verdict", "error"),
    [(False, "verification failed"), ("row 3 is off by 2.0", "row 3 is off by 2.0")],
)
def test_a_wrong_result_is_a_failed_row_with_its_reason(verdict, error):
    result = measure([Arm("a", dict)], rounds=3, verify=lambda _: verdict)
    assert {(r["ok"], r["error"]) for r in result.rows} == {(False, error)}
    assert not valid(result.rows, "a")


def test_an_arm_or_a_verifier_that_raises_makes_a_failed_row_and_the_others_go_on():
    def broken():
        raise KeyError("x")

    def verify(outcome):
        if outcome.value == "wrong":
            raise ArithmeticError("it is wrong")

    arms = [Arm("good", dict), Arm("broken", broken), Arm("wrong", lambda: Outcome("wrong"))]
    rows = timed(measure(arms, rounds=3, verify=verify).rows)
    errors = {r["arm"]: r["error"] for r in rows}
    assert errors == {
        "good": None,
        "good again": None,
        "broken": "KeyError: 'x'",
        "wrong": "ArithmeticError: it is wrong",
    }
    assert len(rows) == 12


def test_ctrl_c_is_not_taken_for_a_failed_run():
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure([Arm("a", interrupted)])


def test_figures_of_the_run_and_of_the_verifier_are_in_the_row_and_the_value_is_not():
    arm = Arm("a", lambda: Outcome(object(), {"bytes_moved": 7}))
    row = measure([arm], rounds=1, verify=lambda _: {"max_abs_error": 0.0}).rows[-1]
    assert (row["bytes_moved"], row["max_abs_error"]) == (7, 0.0)
    assert "value" not in row
    json.dumps(row)


def test_figures_that_would_overwrite_the_row_and_unknown_results_are_failed_runs_that_say_so():
    rows = measure([Arm("a", lambda: {"seconds": 0.0}), Arm("b", lambda: np.ones(3))], rounds=1).rows
    assert "choose others" in next(r["error"] for r in rows if r["arm"] == "a")
    assert "Outcome(value, figures)" in next(r["error"] for r in rows if r["arm"] == "b")


def test_each_round_is_announced_once_before_its_runs_and_each_row_is_reported_as_it_is_made():
    story = []
    measure(
        [Arm("a", dict), Arm("b", dict)],
        rounds=2,
        on_round=lambda n: story.append(n),
        on_progress=lambda row: story.append(row["round"]),
    )
    assert story == [-1, -1, -1, 0, 0, 0, 0, 1, 1, 1, 1]


@pytest.mark.parametrize(("noise", "expected"), [(0.0, 5), (0.5, 12)])
def test_rounds_are_added_only_while_the_same_arm_is_too_far_from_itself(noise, expected):
    clock, rng = Clock(), np.random.default_rng(0)
    arm = Arm("a", lambda: clock.passes(math.exp(rng.normal(0, noise))))
    result = measure([arm], rounds=5, up_to=12, clock=clock)
    assert len(timed(result.rows, "a")) == expected


@pytest.mark.parametrize(
    ("arms", "options", "message"),
    [
        ([], {}, "at least one"),
        ([Arm("a", dict), Arm("a", dict)], {}, "distinct"),
        ([Arm("a", dict)], {"against_itself": "b"}, "against_itself='b'"),
        ([Arm("a", dict), Arm("a again", dict)], {}, "choose another"),
        ([Arm("a", dict)], {"rounds": 0}, "rounds=0"),
        ([Arm("a", dict)], {"rounds": 5, "up_to": 4}, "up_to=4"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_before_anything_runs(arms, options, message):
    with pytest.raises(ValueError, match=message):
        measure(arms, **options)


def test_a_ratio_of_an_unknown_arm_names_the_known_ones():
    with pytest.raises(ValueError, match="a, a again"):
        measure([Arm("a", dict)], rounds=1).ratio("b")


def test_a_file_has_the_three_parts_with_string_keys_and_no_infinities(tmp_path):
    path = tmp_path / "m.json"
    rows = measure([Arm("a", lambda: {"n": np.int64(3)})], rounds=1).rows
    write_json(path, {"tick_us": {5: 1.0}, "worst": math.inf}, rows, {"cores": np.int32(2)})
    text = path.read_text()
    assert "Infinity" not in text
    document = json.loads(text)
    assert set(document) == {"summary", "rows", "environment"}
    assert document["summary"] == {"tick_us": {"5": 1.0}, "worst": None}
    assert document["rows"][0]["n"] == 3
