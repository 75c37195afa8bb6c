import math

import numpy as np
import pytest

from bench.harness import Result
from bench.scores import AGAIN, timed
from bench.toggles.summary import BEST_OF_EACH, bound, fastest, near_everywhere, of_program, of_set, winner

ROUNDS = 8


def result(seconds, phases=None, again=None, failed=()):
    """Return rows in which every arm takes so long in every round; `failed` are (arm, round)."""
    arms = {**seconds, "adaptive" + AGAIN: again or seconds["adaptive"]}
    rows = [
        {
            "arm": arm,
            "round": number,
            "order": 0,
            "warmup": False,
            "seconds": taken,
            "ok": (arm, number) not in failed,
            "error": "x" if (arm, number) in failed else None,
            "phases": (phases or {}).get(arm.removesuffix(AGAIN), {}),
            "states": "o=on",
            "switches": 2,
        }
        for number in range(ROUNDS)
        for arm, taken in arms.items()
    ]
    return Result(rows, ROUNDS, ROUNDS, "adaptive")


BOTH = {"off": {"a": 1.0, "b": 4.0}, "o=on": {"a": 3.0, "b": 1.5}, "adaptive": {"a": 1.1, "b": 1.6}}


def test_bound_is_the_better_fixed_total_over_the_best_of_each_phase():
    fixed = {arm: BOTH[arm] for arm in ("off", "o=on")}
    assert bound(fixed) == pytest.approx(4.5 / 2.5)
    assert near_everywhere(fixed) is None


def test_a_mixed_program_where_adaptive_gains_more_than_the_bar_holds_it():
    found = of_program(result({"adaptive": 2.7, "off": 5.0, "o=on": 4.5}, BOTH), ["off", "o=on"], mixed=True)
    assert found["best_fixed"] == "o=on"
    assert found["better_fixed_over_adaptive"].median == pytest.approx(4.5 / 2.7)
    assert found["at_least_bar"] == "held"
    assert found["at_most_1.03"] == "held"
    assert found["bound"] == pytest.approx(1.8)
    assert found["phase_seconds"]["adaptive"] == BOTH["adaptive"]
    assert (found["wins"], found["adaptive_switches"], found["adaptive_states"]) == ("o=on", 2, ["o=on"])


@pytest.mark.parametrize(("adaptive", "verdict"), [(4.4, "not held"), (3.9, "held")])
def test_the_bar_of_a_mixed_program_is_1_15(adaptive, verdict):
    found = of_program(result({"adaptive": adaptive, "off": 5.0, "o=on": 4.5}, BOTH), ["off", "o=on"], mixed=True)
    assert found["at_least_bar"] == verdict


def test_a_mixed_program_has_the_bar_that_it_is_given():
    rows = result({"adaptive": 3.7, "off": 5.0, "o=on": 4.5}, BOTH)
    assert of_program(rows, ["off", "o=on"], mixed=True, gain=1.3)["at_least_bar"] == "not held"


def test_where_one_fixed_state_is_near_the_best_in_every_phase_there_is_no_bar():
    phases = {"off": {"a": 1.0, "b": 4.0}, "o=on": {"a": 1.05, "b": 1.0}, "adaptive": {"a": 1.0, "b": 1.0}}
    found = of_program(result({"adaptive": 2.0, "off": 5.0, "o=on": 2.05}, phases), ["off", "o=on"], mixed=True)
    assert found["at_least_bar"].startswith("no bar: o=on is within 10%")


def test_where_a_against_a_is_wide_nothing_is_decided():
    rows = result({"adaptive": 2.7, "off": 5.0, "o=on": 4.5}, BOTH, again=3.0)
    found = of_program(rows, ["off", "o=on"], mixed=True)
    assert found["against_itself"] == pytest.approx(3.0 / 2.7 - 1)
    assert found["at_least_bar"] == found["at_most_1.03"] == "not decided here"


def test_an_adaptive_arm_that_loses_more_than_3_percent_is_said_not_to_hold():
    found = of_program(result({"adaptive": 1.1, "off": 1.0, "o=on": 2.0}), ["off", "o=on"], mixed=False)
    assert (found["best_fixed"], found["at_most_1.03"], found["wins"]) == ("off", "not held", "off")
    assert "bound" not in found


def test_a_phase_in_which_no_state_is_faster_beyond_noise_has_no_winner():
    seconds = {"adaptive": 1.0, "off": 1.0, "o=on": 1.04}
    assert winner(result(seconds), ["off", "o=on"]) == "off"
    assert winner(result(seconds, again=1.05), ["off", "o=on"]) is None
    few = result(seconds)
    few.rows[:] = [row for row in few.rows if row["round"] < 3]
    assert winner(few, ["off", "o=on"]) is None
    assert of_program(few, ["off", "o=on"], mixed=False)["at_most_1.03"] == "not decided here"


def test_failed_runs_are_counted_and_are_never_the_best():
    failed = {("off", number) for number in range(ROUNDS)}
    found = of_program(result({"adaptive": 1.0, "off": 0.1, "o=on": 1.0}, BOTH, failed=failed), ["off", "o=on"], True)
    assert (found["best_fixed"], found["failed_runs"]) == ("o=on", ROUNDS)
    assert math.isinf(found["seconds"]["off"])


def test_a_set_is_compared_by_sum_and_by_geometric_mean():
    cells = {
        "x": result({"adaptive": 1.0, "off": 4.0, "o=on": 1.0}),
        "y": result({"adaptive": 10.0, "off": 10.0, "o=on": 16.0}),
    }
    found = of_set(cells, ["off", "o=on"])
    assert found["off"]["over_adaptive_sum"].median == pytest.approx(14 / 11)
    assert found["off"]["over_adaptive_geometric_mean"].median == pytest.approx(2.0)
    assert (found["off"]["sum_at_least_bar"], found["off"]["geometric_mean_at_least_bar"]) == ("not held", "held")
    assert found["o=on"]["over_adaptive_sum"].median == pytest.approx(17 / 11)
    # the fastest of each program: on in the first, off in the second
    assert found["best of each"]["over_adaptive_sum"].median == pytest.approx(1.0)
    assert found["programs"] == 2
    assert found["at_most_1.03"] == {"held": 2}


def test_a_set_counts_a_cell_in_which_adaptive_loses_and_a_failed_run_as_infinite():
    failed = {("o=on", number) for number in range(ROUNDS)}
    found = of_set({"x": result({"adaptive": 1.2, "off": 1.0, "o=on": 1.0}, failed=failed)}, ["off", "o=on"])
    assert found["at_most_1.03"] == {"not held": 1}
    assert math.isinf(found["o=on"]["over_adaptive_sum"].median)
    assert of_set({}, ["off"]) == {}


def test_the_best_arm_of_a_round_is_chosen_from_the_others():
    found = result({"adaptive": 1.0, "off": 1.0, "o=on": 1.1})
    for row in found.rows:
        if row["arm"] == "off" and row["round"] == 0:
            row["seconds"] = 9.0  # nobody could have known
    best = fastest(found, ["off", "o=on"])
    assert [row["seconds"] for row in timed(best.rows, BEST_OF_EACH)] == [9.0, *[1.0] * (ROUNDS - 1)]
    assert len(found.rows) + ROUNDS == len(best.rows)
    assert best.half_width == found.half_width


def test_among_arms_that_are_alike_adaptive_does_not_lose_to_the_luckiest():
    random = np.random.default_rng(1)
    over = []
    for _ in range(200):
        cell = result(dict.fromkeys(["adaptive", "a", "b", "c", "d"], 1.0))
        for row in cell.rows:
            row["seconds"] = random.lognormal(sigma=0.2)
        over.append(fastest(cell, ["a", "b", "c", "d"]).ratio("adaptive", BEST_OF_EACH).median)
    assert np.median(over) == pytest.approx(1.0, abs=0.03)


def test_of_one_round_the_best_arm_is_that_rounds():
    one = result({"adaptive": 1.0, "off": 2.0, "o=on": 1.0})
    one.rows[:] = [row for row in one.rows if row["round"] == 0]
    assert [row["seconds"] for row in timed(fastest(one, ["off", "o=on"]).rows, BEST_OF_EACH)] == [1.0]
