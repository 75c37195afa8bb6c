import dask
from dask.utils import key_split
from distributed import get_worker
from distributed.utils_test import gen_cluster

from bench.toggles.graph import barrier, graph_of


def three(graph, suffix):
    return [graph.add((f"three-{suffix}", k), len, graph.last) for k in range(3)]


def here(before, address):
    return float(get_worker().address == address)


def bound(graph, suffix):
    return [graph.add((f"bound-{suffix}", k), here, graph.last, graph.workers[k % 2], at=k % 2) for k in range(8)]


def test_a_barrier_adds_what_it_waited_for_to_the_marks_before_it():
    marks = barrier(barrier([], 1.0), 2.0, 3.0)
    assert [value for _, value in marks] == [1.0, 5.0]
    assert marks[0][0] <= marks[1][0]


def test_tasks_of_a_phase_wait_for_the_barrier_before_it():
    graph = graph_of([("a", three), ("b", three), ("a", three)])
    marks = dask.get(graph.tasks, graph.end)
    # each of three tasks says how many marks it saw
    assert [value for _, value in marks] == [0.0, 3.0, 6.0, 9.0]


def test_seconds_are_added_up_by_kind():
    graph = graph_of([("a", three), ("b", three), ("a", three)])
    marks = [(at, 0.0) for at in (10.0, 11.0, 14.0, 14.5)]
    assert graph.seconds(marks) == {"a": 1.5, "b": 3.0}


def test_two_graphs_of_the_same_parts_share_no_key_but_have_the_same_prefixes():
    one, other = graph_of([("a", three)]), graph_of([("a", three)])
    assert not set(one.tasks) & set(other.tasks)
    prefixes = [{key_split(key) for key in graph.tasks} for graph in (one, other)]
    assert prefixes == [{"start", "three", "a-end"}] * 2


@gen_cluster(client=True, nthreads=[("127.0.0.1", 1)] * 2)
async def test_a_task_runs_on_the_worker_that_it_is_bound_to(c, s, a, b):
    graph = graph_of([("bound", bound), ("free", three)], [a.address, b.address])
    marks = await c.get(graph.layers(), graph.end, sync=False)
    assert [value for _, value in marks] == [0.0, 8.0, 6.0]
