"""The deciding half of work stealing: moving inputs against computing where they are."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asafess.core.controller import Controller
from asafess.core.mode import Rates, Sample, Scheduled
from asafess.optimizations import work_stealing
from asafess.optimizations.work_stealing import WorkStealing
from asafess.optimizations.work_stealing_costs import ROUNDS_KEPT, ROUNDS_STEALING, STOLEN, Task, load, seconds

RATES = Rates(flop=1e9, memory=1e9, link=1e8)
#: nothing has been measured: Dask believes half a second for computing, and 100 MB/s
UNKNOWN = Task(nbytes=1e8, compute=0.5, move=1.0)
WORKERS = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 16)), min_size=1, max_size=20)
TASKS = st.builds(
    Task,
    st.floats(0, 1e10),
    st.floats(1e-6, 1e3),
    st.floats(0, 1e4),
    st.floats(0.01, 1),
    st.floats(1, 1e3),
)


def sample(each, workers=((40, 1), (0, 1)), task=UNKNOWN, time=0.0):
    """Tasks of so many flop, and how they are spread."""
    count = sum(assigned for assigned, _ in workers)
    entries = (
        Scheduled("t", count, {"compute": count * each}),
        Scheduled("assigned", count, load(workers, task)),
    )
    return Sample(time, entries, sum(threads for _, threads in workers), len(workers), RATES)


def test_light_tasks_with_much_data_are_kept_and_heavy_ones_stolen():
    light, heavy = (WorkStealing().costs(sample(each)) for each in (1e7, 1e10))
    assert light["kept"] < 0.1 * light["stealing"]
    assert heavy["stealing"] < 0.8 * heavy["kept"]


def test_what_dask_believes_decides_how_much_is_moved_and_the_link_what_that_costs():
    spread = [(40, 1), (0, 1)]
    knows = load(spread, Task(nbytes=1e8, compute=0.01, move=1.0))
    assert knows[STOLEN] == 0.0  # it would take a second to save hundredths
    assert load(spread, UNKNOWN)[STOLEN] > 5e8
    free = load(spread, Task(nbytes=0.0, compute=0.5, move=0.0))
    assert free == {**free, ROUNDS_KEPT: 40.0, ROUNDS_STEALING: 20.0, STOLEN: 0.0}


def test_data_that_a_thief_has_costs_nothing_to_steal():
    costs = WorkStealing().costs(sample(1e9, task=Task(nbytes=0.0, compute=1.0, move=0.0)))
    assert costs == {"stealing": pytest.approx(20.0), "kept": pytest.approx(40.0)}


def test_the_link_of_a_single_victim_carries_all_that_is_stolen():
    one = load([(40, 1), (0, 1), (0, 1), (0, 1)], UNKNOWN)
    many = load([(40, 1), (40, 1), (40, 1), (0, 1)], UNKNOWN)
    assert one[STOLEN] > UNKNOWN.nbytes * (40 - one[ROUNDS_STEALING]) * 0.99
    stolen = 40 - many[ROUNDS_STEALING]
    assert stolen > 0
    assert many[STOLEN] == pytest.approx(
        3 * stolen * UNKNOWN.nbytes
    )  # all of it arrives through the link of the one thief


@given(st.integers(0, 50), st.integers(1, 8), TASKS, st.floats(1, 1e12))
def test_where_all_have_the_same_nothing_is_decided(tasks, workers, task, compute):
    spread = load([(tasks, 2)] * workers, task)
    found = seconds({"compute": compute, **spread}, RATES)
    assert found is None if not tasks else found["kept"] == found["stealing"]


@given(WORKERS, TASKS, st.floats(0, 1e13), st.floats(0, 1e13))
def test_all_that_is_predicted_is_finite_and_stealing_never_lengthens_the_longest_queue(
    workers, task, compute, communication
):
    spread = load(workers, task)
    assert all(0 <= one < math.inf for one in spread.values())
    found = seconds({"compute": compute, "communication": communication, **spread}, RATES)
    if found is not None:
        assert spread[ROUNDS_STEALING] <= spread[ROUNDS_KEPT]
        assert all(0 <= one < math.inf for one in found.values())
        # what stealing costs more is moving
        assert found["stealing"] <= max(found["kept"], spread[STOLEN] / RATES.link)


@given(WORKERS, TASKS)
def test_no_more_is_stolen_than_may_be(workers, task):
    spread = load(workers, task)
    most = max(assigned for assigned, _ in workers)
    total = sum(assigned for assigned, _ in workers)
    assert spread.get(STOLEN, 0.0) <= task.nbytes * total
    if sum(assigned > 0 for assigned, _ in workers) == 1 and len(workers) > 1 and most > 1:
        assert spread[STOLEN] <= task.nbytes * math.ceil(task.share * most)


def test_nothing_to_steal_is_nothing_to_decide():
    found = WorkStealing().costs(sample(1e9, task=None))
    assert found["kept"] == found["stealing"] == pytest.approx(40.0)


def test_nothing_known_leaves_the_state_as_it_is():
    optimization = WorkStealing()
    assert optimization.costs(Sample(0.0, (Scheduled("t", 1, {"compute": 1.0}),), 2, 2, RATES)) is None
    assert optimization.costs(Sample(0.0, sample(1e9).scheduled, 2, 2, None)) is None
    domain = optimization.domain(RATES)
    assert [domain(state, {"compute": 1e9}) for state in optimization.states] == ["stealing", "kept"]


def test_the_domain_holds_its_state_between_the_thresholds():
    domain = WorkStealing().domain(RATES)
    spread = load([(40, 1), (0, 1)], UNKNOWN)
    vector = {"compute": 10 * spread[STOLEN], **spread}
    kept = seconds(vector, RATES)["kept"]
    vector["compute"] *= spread[STOLEN] / RATES.link / kept / 1.1
    found = seconds(vector, RATES)
    assert 1 < found["stealing"] / found["kept"] < work_stealing.BAND
    assert [domain(state, vector) for state in ("stealing", "kept")] == ["stealing", "kept"]
    assert "kept" in domain.explain("stealing", {"compute": 1e6, **spread})


@pytest.mark.parametrize("policy", ["work_function", "alpha_beta"])
def test_it_follows_phases_of_ten_ticks(policy):
    controller = Controller([WorkStealing().declaration()], name="test", policy=policy, window=0.1)
    states, time = [], 0.0
    for phase in range(4):
        for _ in range(10):
            time += 0.05
            controller.observe(sample(1e10 if phase % 2 else 1e7, time=time))
        states.append(controller.state.states["work_stealing"])
    assert states == ["kept", "stealing"] * 2
    assert controller.counters["switches"] == 4


def test_an_input_that_tasks_share_is_fetched_once():
    workers = [(160, 1), (0, 1)]
    alone, twelve, one = (
        load(workers, replace(UNKNOWN, dependents=160 / inputs))[STOLEN] / UNKNOWN.nbytes for inputs in (160, 12, 1)
    )
    assert alone > 20  # tasks that are stolen
    assert 11 < twelve < 12
    assert one == pytest.approx(1, rel=1e-3)
