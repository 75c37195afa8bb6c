"""Types of whole graphs: a group at a time, from what is known when it is asked for."""

import operator

import dask.array as da
import numpy as np
from array_programs import CLASSIC
from dask._task_spec import Alias, DataNode, List, Task, TaskRef
from distributed import SchedulerPlugin
from distributed.shuffle._rechunk import rechunk_p2p
from distributed.utils import key_split_group
from distributed.utils_test import gen_cluster
from graphs import graph_of, interpreted

from asafess.compiler import inference
from asafess.compiler.infer import found_type
from asafess.compiler.inference import BUDGET, SAVED, TypeInference

MB = 1 << 20


def made(chunk=500, n=2000):
    return da.random.default_rng(0).random((n, n), chunks=chunk)


def test_a_group_has_the_type_of_its_tasks():
    for name in ("chain", "matmul", "transpose rechunk", "std", "tsqr"):
        graph = graph_of(CLASSIC[name]())
        inferred = interpreted(graph)
        types = TypeInference(graph.get)
        for key in graph:
            found = types.found(key, "x")
            assert found.type == found_type(inferred[key], "x").type
            assert found.confidence >= inference.NEIGHBOURS


def test_the_name_is_the_groups():
    graph = graph_of(made() + 1)
    key = next(key for key in graph if "add" in key[0])
    assert TypeInference(graph.get).found(key).type.name == key_split_group(key)


def test_what_is_not_in_the_graph_any_more_has_no_type():
    types = TypeInference({}.get)
    assert types.found("gone") is None
    assert types.found(["no key"]) is None
    assert types.inferred("gone").parts == ()


def test_persisted_inputs_count_by_the_bytes_that_the_scheduler_knows():
    graph = {"y": Task("y", np.exp, TaskRef("x"))}
    assert TypeInference(graph.get, {"x": 8.0 * MB}.get).found("y").type.loads == {
        "compute": 24.0 * MB,
        "loops": 1.0 * MB,
        "memory": 16.0 * MB,
    }


def test_inputs_of_unknown_size_are_not_looked_at_one_by_one():
    graph = {("x", k): Task(("x", k), np.flatnonzero, np.arange(100)) for k in range(32)}
    graph["y"] = Task("y", np.concatenate, List(*map(TaskRef, graph)))
    seen = []

    def lookup(key):
        seen.append(key)
        return graph.get(key)

    types = TypeInference(lookup)
    for k in (0, 16, 31):
        types.found(("x", k))
    assert types.found("y").type.per_byte["memory"] > 0
    assert len(set(seen)) < 16


def test_while_sizes_are_not_known_loads_are_per_byte():
    graph = {"x": Task("x", print), "y": Task("y", operator.add, TaskRef("x"), 1.0)}
    found = TypeInference(graph.get).found("y")
    assert found.type.per_byte == {"compute": 1 / 8, "loops": 1 / 8, "memory": 2.0}
    assert found.confidence < 1
    assert "not known yet" in found.why
    # and once they are, it is the same
    sized = TypeInference(graph.get, {"x": 800.0}.get).found("y")
    assert sized.type.load(800.0, 0.0) == found.type.load(800.0, 0.0)


def test_what_does_not_grow_in_proportion_has_to_wait_for_its_sizes():
    graph = {
        "x": Task("x", print),
        "y": Task("y", np.sort, TaskRef("x")),
        "z": Task("z", np.dot, TaskRef("x"), TaskRef("x")),
    }
    assert TypeInference(graph.get).found("y") is None
    assert TypeInference(graph.get).found("z") is None


def test_known_inputs_beside_an_unknown_one_are_not_counted_twice():
    x = np.ones(1000)
    graph = {"u": Task("u", print), "x": DataNode("x", x), "y": Task("y", operator.add, TaskRef("u"), TaskRef("x"))}
    found = TypeInference(graph.get).found("y")
    if found is not None:  # a sum with an array of known shape is as large as the larger
        assert min(found.type.loads.values()) >= 0


def test_masks_are_typed_by_what_they_leave():
    x = made(n=1000)
    graph = graph_of((x[x > 0.5] * 2).sum())
    types = TypeInference(graph.get)
    total = [types.found(key) for key in graph]
    assert sum(found is not None for found in total) > len(graph) / 2


def test_a_deep_graph_is_looked_at_a_little_at_a_time(monkeypatch):
    looked = []
    real = inference.infer
    monkeypatch.setattr(inference, "infer", lambda *args: looked.append(1) or real(*args))
    graph = {"x-0": DataNode("x-0", np.ones(100))}
    for k in range(1, 5001):
        graph[f"x-{k}"] = Task(f"x-{k}", operator.add, TaskRef(f"x-{k - 1}"), 1.0)
    types = TypeInference(graph.get)
    types.found("x-5000")
    assert len(looked) <= SAVED + 4
    for k in range(1, 101):
        types.found(f"x-{k}")
    assert len(looked) <= SAVED + 4 + 101 * (BUDGET + 1)
    assert types.found("x-100").type.loads["compute"] == 100


def test_of_thousands_of_inputs_one_stands_for_all():
    n = 3000
    graph = {("x", k): Task(("x", k), np.ones, (100,)) for k in range(n)}
    graph["y"] = Task("y", np.concatenate, List(*[TaskRef(("x", k)) for k in range(n)]))
    found = TypeInference(graph.get).found("y")
    assert found.type.loads["memory"] == 2 * n * 800
    assert found.confidence == inference.NEIGHBOURS


def test_two_senders_of_an_exchange_stand_for_all():
    # as many blocks of rows as of columns, whose sizes make no task the only one of its kind
    x = rechunk_p2p(da.ones((32, 3200), chunks=(1, 3200)), ((32,), (100,) * 32), block_size_limit=3200 * 8)
    graph = graph_of(x)
    types = TypeInference(graph.get)
    found = types.found(x.__dask_keys__()[0][-1])
    assert found.type.loads["memory"] == 2 * 32 * 100 * 8
    assert found.confidence == inference.NEIGHBOURS
    assert len(types) < 10
    sent = next(key for key in graph if "transfer" in str(key) and types.found(key).type.loads.get("communication"))
    assert types.found(sent).type.loads["communication"] == 3200 * 8


def test_senders_of_several_sizes_are_asked_one_by_one():
    sizes = (1,) * 8 + (3,) * 8
    x = rechunk_p2p(da.ones((32, 3200), chunks=(sizes, 3200)), ((32,), (100,) * 32), block_size_limit=3200 * 8)
    graph = graph_of(x)
    types = TypeInference(graph.get)
    barrier = next(key for key in graph if "barrier" in str(key))
    assert types.value(barrier).nbytes == 32 * 3200 * 8


def test_of_inputs_of_which_nothing_can_be_known_two_are_looked_at():
    graph = {("x", k): Task(("x", k), print, k) for k in range(32)}
    graph["y"] = Task("y", np.concatenate, List(*map(TaskRef, graph)))
    types = TypeInference(graph.get)
    assert types.found("y").type.per_byte  # what is only as large as its inputs, nobody knows yet
    assert len(types) == 3


class Compared(int):
    """A number that counts how often it is compared."""

    times = 0

    def __eq__(self, other):
        Compared.times += 1
        return int(self) == int(other)

    __hash__ = int.__hash__


def test_a_barrier_takes_no_longer_by_input_the_more_it_has(monkeypatch):
    monkeypatch.setattr(Compared, "times", 0)
    n = 1000
    keys = [("x", Compared(k)) for k in range(n)]
    graph = {key: Task(key, Compared, k) for k, key in enumerate(keys)}  # of which nobody knows a type
    graph["end"] = Task("end", print, *[TaskRef(("x", Compared(k))) for k in range(n)])
    assert TypeInference(graph.get).found("end") is None
    assert 0 < Compared.times < 100 * n


class Asking(SchedulerPlugin):
    """Asks for the type of every task of every graph that arrives, and keeps why there is none."""

    def __init__(self):
        self.found = {}

    def update_graph(self, scheduler, *, tasks, **_):
        def sized(key):
            nbytes = scheduler.tasks[key].nbytes if key in scheduler.tasks else -1
            return float(nbytes) if nbytes >= 0 else None

        types = TypeInference(lambda key: getattr(scheduler.tasks.get(key), "run_spec", None), sized)
        for key in tasks:
            self.found[key] = types.found(key)


@gen_cluster(client=True, nthreads=[("127.0.0.1", 1)] * 2)
async def test_in_a_scheduler_it_is_the_same(c, s, a, b):
    s.add_plugin(Asking(), name="asking")
    found = s.plugins["asking"].found
    n, chunk = 400, 100
    x, y = made(chunk, n), made(chunk, n)
    await c.compute(((x @ y) + 1).rechunk((n, chunk // 2)).sum())
    assert found
    assert all(found.values())
    # as one task of a fused group is named after all of them, the products are found by what they do
    products = [one for one in found.values() if "linalg" in one.why]
    assert sum(one.type.loads["compute"] for one in products) >= 2 * n**3
    found.clear()
    (scattered,) = await c.scatter([np.ones(1000)])
    future = c.submit(np.sum, scattered)
    await future
    assert found[future.key].type.loads == {"compute": 1000, "loops": 1000, "memory": 8000}
    assert found[future.key].confidence < 1  # of eight bytes each, as far as anyone knows


def test_a_cycle_ends():
    graph = {"a": Task("a", np.exp, TaskRef("b")), "b": Task("b", np.exp, TaskRef("a")), "c": Alias("c", "a")}
    types = TypeInference(graph.get)
    for key in graph:
        types.found(key)


def test_values_are_forgotten_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(inference, "KEPT", 10)
    graph = {k: DataNode(k, np.ones(3)) for k in map(str, range(100))}
    types = TypeInference(graph.get)
    for key in graph:
        types.found(key)
    assert len(types) <= 10
    types.clear()
    assert len(types) == 0
