"""The deciding half of thread width: few tasks against many, products against everything else; and the pools."""

import math
import os

import numpy as np
import pytest
import threadpoolctl
from hypothesis import given
from hypothesis import strategies as st

from asafess.core.controller import Controller
from asafess.core.mode import Rates, Sample, Scheduled
from asafess.optimizations import thread_width
from asafess.optimizations.thread_width import ThreadWidth
from asafess.optimizations.thread_width_costs import Pool, seconds, spread

RATES = Rates(flop=1e9, memory=1e9, link=1e8, extra={"loops": 5e8})
PRODUCT = {"compute": 1e9, "memory": 1e7}


def sample(count, each, workers=((1, 2),), time=0.0, fresh=True):
    """Tasks of one type, and how they are spread; None: nobody says how."""
    entries = [Scheduled("t", count, {axis: count * amount for axis, amount in each.items()})]
    if workers is not None:
        entries.append(Scheduled("assigned", count, Pool().load(workers)))
        threads = sum(one for _, one in workers)
    return Sample(time, tuple(entries), threads if workers else 4, len(workers) if workers else 2, RATES, fresh=fresh)


def test_a_product_alone_is_better_wide_and_many_are_better_narrow():
    alone, many = (ThreadWidth().costs(sample(n, PRODUCT, [(n, 4)])) for n in (1, 90))
    assert alone["wide"] < 0.5 * alone["narrow"]
    assert many["narrow"] < 0.7 * many["wide"]
    assert many["narrow"] == pytest.approx(90 / 4, rel=0.01)


def test_where_each_thread_has_a_task_but_only_on_one_worker_it_stays_narrow():
    apart, together = (
        ThreadWidth().costs(sample(2, PRODUCT, workers)) for workers in ([(1, 2), (1, 2)], [(2, 2), (0, 2)])
    )
    assert apart["wide"] < apart["narrow"] < together["wide"]
    assert apart["narrow"] == together["narrow"]


@pytest.mark.parametrize(
    "each",
    [
        {"compute": 1e7, "memory": 1e9},
        {"compute": 5e8, "loops": 5e8, "memory": 1e6},
        {"compute": 1e7, "communication": 1e9},
    ],
    ids=["memory", "loops", "network"],
)
@pytest.mark.parametrize("count", [1, 90])
def test_what_is_not_bound_by_products_is_the_same_in_both_states(each, count):
    costs = ThreadWidth().costs(sample(count, each, [(count, 2)]))
    assert costs["wide"] == pytest.approx(costs["narrow"], rel=0.02)


def test_operations_in_loops_are_no_products():
    vector = {"compute": 1e9, "loops": 0.75e9, **Pool(efficiency=1.0).load([(1, 2)])}
    found = seconds(vector, Rates(flop=1e9, memory=1e9, link=1e8))
    assert found["narrow"] - found["wide"] == pytest.approx(0.125)


def test_a_tiny_product_takes_as_long_as_dask_needs_for_its_task():
    costs = ThreadWidth().costs(sample(1, {"compute": 1e4}))
    assert costs["wide"] == pytest.approx(costs["narrow"], rel=0.02)


@given(st.lists(st.tuples(st.integers(0, 40), st.just(1)), min_size=1), st.floats(1e3, 1e12))
def test_workers_with_one_thread_have_nothing_to_widen(workers, compute):
    found = seconds({"compute": compute, **Pool().load(workers)}, RATES)
    assert found is None or found["narrow"] == found["wide"]


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 16)), min_size=1),
    st.floats(0.01, 1),
    st.floats(1, 10),
    st.floats(1, 1e12),
)
def test_all_that_is_predicted_is_finite_and_between_the_extremes(workers, efficiency, oversubscribed, compute):
    pool = Pool(efficiency, oversubscribed)
    found = seconds({"compute": compute, **pool.load(workers)}, RATES)
    if found is not None:
        best = pool.factor(1, max(threads for _, threads in workers))
        assert best * found["narrow"] * 0.999 <= found["wide"] <= oversubscribed * found["narrow"] * 1.001
        assert all(math.isfinite(one) for one in found.values())


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4)), min_size=1), st.integers(0, 60))
def test_what_comes_goes_to_free_threads_and_no_further(workers, tasks):
    after = spread(workers, tasks)
    free = sum(max(threads - assigned, 0) for assigned, threads in workers)
    assert sum(one for one, _ in after) - sum(one for one, _ in workers) == min(tasks, free)
    assert all(now == was or now <= threads for (was, threads), (now, _) in zip(workers, after, strict=True))


def test_tasks_that_have_just_arrived_are_taken_to_be_spread_evenly():
    optimization = ThreadWidth()
    assert optimization.costs(sample(1, PRODUCT, None)) == optimization.costs(sample(1, PRODUCT, [(1, 2), (0, 2)]))
    assert optimization.costs(sample(9, PRODUCT, None)) == optimization.costs(sample(9, PRODUCT, [(5, 2), (4, 2)]))
    queued = Scheduled("to be assigned", 9, {"root_wait": 1.0})  # of another optimization, the same tasks once more
    one = sample(1, PRODUCT, None)
    both = Sample(one.time, (*one.scheduled, queued), one.threads, one.workers, RATES)
    assert optimization.costs(both) == optimization.costs(one)


def test_nothing_known_is_nothing_predicted_and_leaves_the_state_as_it_is():
    optimization = ThreadWidth()
    assert optimization.costs(Sample(0.0, (), 2, 1, RATES)) is None
    assert optimization.costs(Sample(0.0, sample(1, PRODUCT).scheduled, 2, 1, None)) is None
    domain = optimization.domain(RATES)
    assert [domain(state, {"compute": 1e9}) for state in optimization.states] == ["narrow", "wide"]
    assert [domain(state, {}) for state in optimization.states] == ["narrow", "wide"]


def test_the_domain_holds_its_state_between_the_thresholds():
    domain = ThreadWidth().domain(RATES)
    vector = {**Pool().load([(1, 2)]), "compute": 1e9, "memory": 0.95e9}  # wide is bound by memory, a little faster
    found = seconds(vector, RATES)
    assert 1 < found["narrow"] / found["wide"] < thread_width.BAND
    assert [domain(state, vector) for state in ("narrow", "wide")] == ["narrow", "wide"]
    assert "wide" in domain.explain("narrow", {**PRODUCT, **Pool().load([(1, 2)])})


@pytest.mark.parametrize("policy", ["work_function", "alpha_beta"])
def test_alternating_phases_are_decided_at_their_first_sample(policy):
    controller = Controller([ThreadWidth().declaration()], name="test", policy=policy)
    states = []
    for k in range(6):
        count = 90 if k % 2 else 1
        controller.observe(sample(count, PRODUCT, [(count, 2)], time=1.0 + k))
        states.append(controller.state.states["thread_width"])
    assert states == ["wide", "narrow"] * 3


def test_the_last_tasks_of_a_phase_that_come_and_go_do_not_make_it_flap():
    controller = Controller([ThreadWidth().declaration()], name="test")
    for k in range(200):  # a worker with one task on one tick, two on the next
        count = 1 + k % 2
        controller.observe(sample(count, PRODUCT, [(count, 2)], time=0.05 * k, fresh=False))
    assert controller.counters["switches"] <= 1 + 200 * 0.05 / 0.5


@pytest.mark.parametrize("value", [0, -1.0, 1.5, math.nan, True, "half"])
def test_a_wrong_efficiency_is_named(value):
    with pytest.raises(ValueError, match=r"asafess.thread-width.efficiency must be a number above 0 and at most 1"):
        ThreadWidth(efficiency=value)


@pytest.mark.parametrize("value", [0.9, math.inf, math.nan, 10**400, True, None])
def test_a_wrong_price_of_oversubscription_is_named(value):
    with pytest.raises(ValueError, match=r"asafess.thread-width.oversubscribed must be a number of at least 1"):
        ThreadWidth(oversubscribed=value)


# ---- the pools of this process


@pytest.fixture
def libraries():
    """BLAS libraries of this process, all with one thread; as they were afterwards."""
    import scipy.linalg  # noqa: F401 - another pool than NumPy's

    found = threadpoolctl.ThreadpoolController().select(user_api="blas")
    with found.limit(limits=1):
        yield found.lib_controllers


def widths(libraries):
    return [one.num_threads for one in libraries]


def test_each_pool_gets_back_the_threads_that_it_had(libraries):
    assert len(libraries) >= 2
    libraries[0].set_num_threads(2)
    pools = thread_width._Pools()
    pools.widen(3)
    assert widths(libraries) == [3] * len(libraries)
    pools.widen(3)
    pools.restore()
    assert widths(libraries) == [2] + [1] * (len(libraries) - 1)
    pools.restore()
    assert widths(libraries) == [2] + [1] * (len(libraries) - 1)


def test_no_pool_is_made_narrower(libraries):
    libraries[0].set_num_threads(4)
    pools = thread_width._Pools()
    pools.widen(2)
    assert widths(libraries) == [4] + [2] * (len(libraries) - 1)
    pools.restore()
    assert widths(libraries) == [4] + [1] * (len(libraries) - 1)


def test_outside_of_a_worker_nothing_is_widened(libraries):
    optimization = ThreadWidth()
    optimization.prepare(())
    optimization.enter("wide")
    assert widths(libraries) == [1] * len(libraries)
    optimization.leave()


def test_a_product_is_the_same_to_rounding_in_any_width(libraries):
    a = np.random.default_rng(0).random((256, 256))
    narrow = a @ a
    pools = thread_width._Pools()
    pools.widen(len(os.sched_getaffinity(0)))
    wide = a @ a
    pools.restore()
    np.testing.assert_allclose(wide, narrow, rtol=1e-12)


def test_a_pool_that_does_not_become_wider_is_counted(monkeypatch):
    if not thread_width_has_pools():
        pytest.skip("no BLAS library that threadpoolctl knows")
    before = ThreadWidth().counters()
    pools = thread_width._Pools()
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        pools.widen(2)
        widened = dict(pools.counts)
        pools.restore()
        monkeypatch.setattr(threadpoolctl.OpenBLASController, "set_num_threads", lambda self, threads: None)
        pools.widen(2)
        monkeypatch.undo()
        pools.restore()
    assert widened["pools_widened"] == pools.counts["pools_not_widened"] > 0
    assert widened["pools_not_widened"] == 0
    assert ThreadWidth().counters() == before  # of the process's own


def thread_width_has_pools():
    kinds = {one["internal_api"] for one in threadpoolctl.threadpool_info() if one["user_api"] == "blas"}
    return kinds == {"openblas"}
