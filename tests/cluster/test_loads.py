import dask
import numpy as np
from dask._task_spec import DataNode, Task
from dask.highlevelgraph import HighLevelGraph
from distributed import SchedulerPlugin, Worker
from distributed.utils_test import gen_cluster
from helpers import new_gates, until, waiting

import asafess
from asafess.cluster.group_types import GroupTypes
from asafess.cluster.loads import GroupLoads
from asafess.compiler.resolve import PrefixTable

WORDS = 10_000
BYTES = 8 * WORDS


@asafess.task(intensity=0.5)
def use(*blocks):
    return 1


@asafess.task(loads={"compute": 7.0}, name="declared")
def declared(*blocks):
    return 1


def plain(*blocks):
    return 1


class Watch(SchedulerPlugin):
    """Asks a `GroupLoads` of its own about every graph."""

    def __init__(self, scheduler, table=None):
        self.loads = GroupLoads(GroupTypes(PrefixTable(table or {})))
        self.scheduler = scheduler
        self.ready = []

    def update_graph(self, scheduler, *, tasks, **kwargs):
        self.ready.append(self.loads.submitted(scheduler, tasks))


def watch(scheduler, table=None):
    plugin = Watch(scheduler, table)
    scheduler.add_plugin(plugin)
    return plugin


async def made_on(client, worker, count=1):
    futures = client.map(np.ones, [WORDS] * count, workers=[worker.address], pure=False)
    await client.gather(client.map(len, futures, workers=[worker.address], pure=False))
    return futures


@gen_cluster(client=True)
async def test_bytes_that_are_not_where_the_task_will_run_are_to_be_moved(c, s, a, b):
    block = await made_on(c, a)
    plugin = watch(s)
    await c.submit(use, *block, workers=[b.address])
    [[entry]] = plugin.ready
    assert (entry.type, entry.count) == ("use", 1)
    assert entry.load["communication"] >= BYTES
    assert entry.load["compute"] == 0.5 * entry.load["communication"] == 0.5 * entry.load["memory"]


@gen_cluster(client=True)
async def test_bytes_that_are_there_already_are_not(c, s, a, b):
    block = await made_on(c, a)
    plugin = watch(s)
    await c.submit(use, *block, workers=[a.address], pure=False)
    await c.submit(use, *block, pure=False)  # Dask will run it where its input is
    assert [entry.load["communication"] for [entry] in plugin.ready] == [0, 0]
    assert all(entry.load["memory"] >= BYTES for [entry] in plugin.ready)


@gen_cluster(client=True)
async def test_a_task_without_restriction_moves_the_smaller_part_of_its_inputs(c, s, a, b):
    here, there = await made_on(c, a, 2), await made_on(c, b, 1)
    plugin = watch(s)
    await c.submit(use, *here, *there)
    [[entry]] = plugin.ready
    assert BYTES <= entry.load["communication"] < 2 * BYTES


@gen_cluster(client=True)
async def test_a_value_that_comes_with_the_graph_keeps_no_task_waiting(c, s, a, b):
    [block] = await made_on(c, a)
    plugin = watch(s)
    x = DataNode("x", np.ones(WORDS))
    task = Task("y", use, block, x.ref())
    graph = HighLevelGraph({"y": {"x": x, "y": task}}, {"y": set()})
    assert await c.get(graph, "y", sync=False) == 1
    [[entry]] = plugin.ready
    assert entry.load["memory"] >= 2 * BYTES


@gen_cluster(client=True)
async def test_tasks_whose_inputs_are_still_to_be_made_are_learned_when_they_are_scheduled(c, s, a, b):
    plugin = watch(s)
    started, go_on = new_gates()
    block = c.submit(np.ones, WORDS, workers=[a.address])
    future = c.submit(waiting, block, workers=[b.address])
    await until(started.is_set)
    [entry] = plugin.loads.look(s)
    go_on.set()
    assert await future == 1
    assert (entry.type, entry.count) == ("waiting", 1)
    # it has been fetched by now; a scheduled task counts whole until it ends
    assert entry.load["communication"] >= BYTES


@gen_cluster(client=True)
async def test_an_input_that_was_on_several_workers_all_along_costs_nothing(c, s, a, b):
    [block] = await c.scatter([np.ones(WORDS)], broadcast=True)
    plugin = watch(s)
    started, go_on = new_gates()
    future = c.submit(waiting, block)
    await until(started.is_set)
    [entry] = plugin.loads.look(s)
    go_on.set()
    await future
    assert entry.load["communication"] == 0


@gen_cluster(client=True)
async def test_a_declared_load_counts_for_the_tasks_that_are_assigned_and_not_for_those_that_queue(c, s, a, b):
    plugin = watch(s)
    await c.gather(c.map(declared, range(20)))
    [[entry]] = plugin.ready
    # three threads, and Dask's worker-saturation of 1.1
    assert (entry.count, entry.queued, entry.load["compute"]) == (4, 16, 28.0)


@gen_cluster(client=True)
async def test_what_many_tasks_of_a_worker_share_is_moved_to_it_once(c, s, a, b):
    [shared] = await made_on(c, a)
    plugin = watch(s)
    await c.gather(c.map(use, [shared] * 10, range(10), workers=[b.address]))
    [[entry]] = plugin.ready
    assert entry.count == 10
    assert BYTES <= entry.load["communication"] < 2 * BYTES


@gen_cluster(client=True)
async def test_a_fused_task_loads_the_sum_of_its_parts_and_moves_its_input_once(c, s, a, b):
    plugin = watch(s)

    @asafess.task(loads={"compute": 1.0, "communication": 10.0})
    def first(x):
        return x

    @asafess.task(loads={"compute": 2.0, "communication": 4.0})
    def second(x):
        return x

    fused = Task.fuse(Task("a", first, 1), Task("b", second, Task("a", first, 1).ref()))
    await c.get({fused.key: fused}, fused.key, sync=False)
    [[entry]] = plugin.ready
    assert entry.load == {"compute": 3.0, "communication": 10.0}


@gen_cluster(client=True)
async def test_untyped_tasks_load_nothing_and_their_groups_are_counted(c, s, a, b):
    plugin = watch(s, {"su?": {"intensity": 1.0}})
    await c.gather(c.map(plain, range(5)))
    await c.submit(sum, [1, 2])
    assert [len(ready) for ready in plugin.ready] == [0, 1]
    assert "plain" in plugin.loads.untyped
    assert "sum" not in plugin.loads.untyped


@gen_cluster(client=True)
async def test_functions_of_one_name_share_a_group_by_their_latest_graph(c, s, a, b):
    plugin = watch(s)
    one = asafess.task(loads={"compute": 1.0})(lambda x: x)
    two = asafess.task(loads={"compute": 3.0})(lambda x: x)
    await c.submit(one, 1)
    await c.submit(two, 1)
    assert [ready[0].load["compute"] for ready in plugin.ready] == [1.0, 3.0]


@gen_cluster(client=True)
async def test_what_is_done_is_scheduled_no_more(c, s, a, b):
    plugin = watch(s)
    await c.gather(c.map(declared, range(3)))
    assert plugin.loads.look(s) == []


@gen_cluster(client=True)
async def test_groups_that_dask_has_forgotten_are_forgotten(c, s, a, b):
    plugin = watch(s)
    for number in range(70):
        await c.compute(dask.delayed(declared)(number, dask_key_name=f"g{number}-{'0' * 32}"))
    await until(lambda: not any(name.startswith("g") for name in s.task_groups))
    plugin.loads.look(s)
    assert len(plugin.loads) <= 64


@gen_cluster(client=True, nthreads=[("", 1)] * 20)
async def test_many_workers_are_looked_at_in_turns(c, s, *workers):
    from asafess.cluster.loads import WORKERS_PER_TICK

    plugin = watch(s)
    seen = [next(iter(plugin.loads._some_workers(s))).address for _ in range(5)]
    assert len(set(seen)) > 1
    assert len(list(plugin.loads._some_workers(s))) <= WORKERS_PER_TICK
    assert isinstance(workers[0], Worker)
