"""Thread width on a live scheduler: what it sees of its workers, and workers that share their pools."""

import os
import threading

import distributed
import pytest
import threadpoolctl
from distributed.utils_test import gen_cluster
from helpers import GATES, installed, new_gates, until

import asafess
from asafess.optimizations import thread_width
from asafess.optimizations.thread_width import ThreadWidth
from asafess.optimizations.thread_width_costs import BUSY, BUSY_WIDE, TASKS, WORKERS

THREAD_GATE = threading.Event()

two_cores = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="with one core there is nothing to widen")


def widths():
    """Return the threads of each BLAS pool of this process."""
    pools = [one for one in threadpoolctl.threadpool_info() if one["user_api"] == "blas"]
    return sorted((one["filepath"], one["num_threads"]) for one in pools)


@asafess.task(loads={"compute": 1e9}, name="product")
async def product(number):
    """Wait until it may end."""
    await GATES["may_end"].wait()
    return number


async def untyped(number):
    await GATES["may_end"].wait()


def seceded():
    """Give its thread back and go on, as a task does that waits for tasks of its own."""
    distributed.secede()
    THREAD_GATE.wait(60)


@gen_cluster(client=True, nthreads=[("127.0.0.1", 2), ("127.0.0.1", 4)])
async def test_the_mode_holds_how_many_tasks_each_worker_runs_typed_or_not(c, s, a, b):
    plugin = await installed(c, s, ["thread_width"], control={"thread_width": "narrow"}, infer=[])
    _, may_end = new_gates()
    one = c.submit(product, 0, workers=[a.address])
    more = c.map(untyped, range(3), workers=[b.address], pure=False)
    await until(lambda: plugin.controller.moment and plugin.hooks.load(s, {}, running=True)[0].count == 4)
    [entry] = plugin.hooks.load(s, {}, running=True)
    pool = ThreadWidth().pool
    wide = pool.factor(1, 2) + 3 * pool.factor(3, 4)
    assert entry.load == {TASKS: 4, BUSY: 4, BUSY_WIDE: pytest.approx(wide), WORKERS: 2}
    used = plugin.controller.counters["used"]
    await until(lambda: plugin.controller.counters["used"] > used)
    assert plugin.controller.vector[BUSY] > 0
    away = c.submit(seceded, workers=[b.address])
    await until(lambda: s.workers[b.address].long_running)
    [entry] = plugin.hooks.load(s, {}, running=True)
    assert (entry.count, entry.load[BUSY]) == (5, 4)  # a task that has seceded keeps no thread busy
    THREAD_GATE.set()
    may_end.set()
    await c.gather([one, *more, away])
    assert plugin.hooks.load(s, {}, running=True) == []
    assert plugin.fault is None


@two_cores
@gen_cluster(client=True, nthreads=[("127.0.0.1", 2), ("127.0.0.1", 4)])
async def test_workers_of_one_process_get_the_width_of_the_smallest_and_what_was_found_comes_back(c, s, a, b):
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        narrow = widths()
        await installed(c, s, ["thread_width"])
        await asafess.pin(c, "thread_width", "wide")
        await until(lambda: {threads for _, threads in widths()} == {2})
        await asafess.uninstall(c)
        await until(lambda: widths() == narrow)


@gen_cluster(client=True, nthreads=[("127.0.0.1", 1)] * 2)
async def test_workers_with_one_thread_are_never_switched_and_have_nothing_to_widen(c, s, a, b):
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        narrow = widths()
        plugin = await installed(c, s, ["thread_width"])
        _, may_end = new_gates()
        future = c.submit(product, 0)
        await until(lambda: plugin.controller.counters["used"] > 4)
        assert plugin.controller.state.states == {"thread_width": "narrow"}
        may_end.set()
        await future
        await asafess.pin(c, "thread_width", "wide")
        await until(lambda: len(plugin.controller.state.states) == 1)
        assert widths() == narrow
        await asafess.uninstall(c)


@gen_cluster(client=True, nthreads=[("127.0.0.1", 2)])
async def test_a_chain_that_comes_counts_as_one_task_at_a_time(c, s, a):
    plugin = await installed(c, s, ["thread_width"])
    gates = new_gates()
    gates[1].set()
    await c.submit(product, 0, pure=False)
    group = next(iter(s.task_prefixes["product"].groups))
    optimization = ThreadWidth()
    group.prefix.duration_average = 1.0
    assert optimization.scheduler_load(s, {group: 24})[BUSY] == 2
    group.dependencies.add(group)
    assert optimization.scheduler_load(s, {group: 24})[BUSY] == 1
    group.prefix.duration_average = 1e-3  # short ones are left to the tick
    assert optimization.scheduler_load(s, {group: 24}) == {}
    assert plugin.fault is None


@gen_cluster(client=True, nthreads=[("127.0.0.1", 2), ("127.0.0.1", 2)])
async def test_what_waits_for_what_runs_will_have_the_threads_to_itself(c, s, a, b):
    await installed(c, s, ["thread_width"], control={"thread_width": "narrow"})
    _, may_end = new_gates()
    running = c.map(product, range(4), pure=False)
    after = c.submit(followed, running, pure=False)
    await until(lambda: {one.state for one in s.tasks.values()} == {"processing", "waiting"})
    group = s.tasks[after.key].group
    group.prefix.duration_average = 1.0
    optimization = ThreadWidth()
    assert optimization.scheduler_load(s, {})[BUSY] == 4
    assert optimization.scheduler_load(s, {group: 1})[BUSY] == 1
    may_end.set()
    assert await after == 4


def followed(numbers):
    return len(numbers)


@gen_cluster(client=True, nthreads=[("127.0.0.1", 4)])
async def test_of_a_phase_that_comes_the_tasks_count_that_take_most_of_its_time(c, s, a):
    await installed(c, s, ["thread_width"])
    gates = new_gates()
    gates[1].set()
    await c.gather([c.submit(product, 0, pure=False), c.submit(followed, [1], pure=False)])
    chain, before = (next(iter(s.task_prefixes[name].groups)) for name in ("product", "followed"))
    chain.dependencies.add(chain)
    chain.prefix.duration_average, before.prefix.duration_average = 1.0, 0.5
    optimization = ThreadWidth()
    assert optimization.scheduler_load(s, {chain: 8, before: 3})[BUSY] == 1
    assert optimization.scheduler_load(s, {chain: 3, before: 3})[BUSY] == 4


@gen_cluster(client=True, nthreads=[("127.0.0.1", 2)] * 4)
async def test_of_many_workers_a_sample_stands_for_all(c, s, *workers):
    await installed(c, s, ["thread_width"], control={"thread_width": "narrow"})
    _, may_end = new_gates()
    futures = c.map(product, range(8), pure=False)
    await until(lambda: all(len(ws.processing) == 2 for ws in s.workers.values()))
    all_of_them = ThreadWidth().scheduler_load(s, {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(thread_width, "WORKERS", 2)
        assert ThreadWidth().scheduler_load(s, {}) == all_of_them
    may_end.set()
    await c.gather(futures)
