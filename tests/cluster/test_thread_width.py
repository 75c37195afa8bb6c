"""Thread width on a live scheduler: what it sees of its workers, and workers that share their pools."""

import os
import threading

import distributed
import pytest
import threadpoolctl
from distributed.utils_test import gen_cluster
from helpers import GATES, installed, new_gates, until

import asafess
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
