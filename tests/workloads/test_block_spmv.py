import subprocess
import sys

import numpy as np
import pytest
from distributed import Client
from distributed.diagnostics.plugin import SchedulerPlugin

from asafess.workloads import graph500
from asafess.workloads.block_spmv import combine, make_csr, make_panel, multiply, product
from asafess.workloads.placement import place, targets, worker_addresses

MATRIX = graph500.matrix(8, tile=16, panels=6)
X = np.random.default_rng(1).random(256)
Y = np.concatenate([MATRIX.panel_csr(p) @ X for p in range(6)])


def panels(form):
    return [make_csr(MATRIX, p) if form == "csr" else make_panel(MATRIX, p, form) for p in range(MATRIX.panels)]


def test_tasks_carry_their_types():
    """Each task function has a task type with the loads that the mode vector needs."""
    assert multiply.__asafess_type__.per_byte == {"compute": 0.25, "memory": 1.0}
    for function in (make_panel, make_csr, combine):
        assert function.__asafess_type__.load(1.0, 0.0)["memory"] > 0


@pytest.mark.parametrize("form", ["csr", "dense", "sparse", "light", "full"])
def test_every_form_gives_the_same_bits(form):
    """The threaded scheduler gives the bits of the serial CSR product, whatever the form of the panels."""
    np.testing.assert_array_equal(product(panels(form), X).compute(scheduler="threads"), Y)


@pytest.mark.parametrize("form", ["csr", "dense", "full"])
@pytest.mark.parametrize("placement", ["stream", "resident"])
def test_every_placement_gives_the_same_bits(client, form, placement):
    """A cluster gives the same bits in both placements, sweep after sweep."""
    futures = place(client, MATRIX, form)
    for sweep in range(2):
        workers = targets(6, worker_addresses(client), sweep, placement)
        np.testing.assert_array_equal(client.compute(product(futures, X, workers)).result(), Y)


def test_result_agrees_with_a_scatter_over_the_entries():
    """The product is that of the tuple list, added up another way, row by row."""
    y, bound = np.zeros(256), np.zeros(256)
    for p in range(6):
        rows, columns = np.divmod(MATRIX.panel_entries(p)[0], 256)
        terms = MATRIX.panel_entries(p)[1] * X[columns]
        np.add.at(y, rows + MATRIX.rows(p).start, terms)
        np.add.at(bound, rows + MATRIX.rows(p).start, abs(terms))
    assert (abs(product(panels("csr"), X).compute(scheduler="sync") - y) <= 1e-13 * bound).all()


class Watch(SchedulerPlugin):
    """Graphs that arrived, and where each task was restricted to."""

    def __init__(self):
        self.graphs = []

    def update_graph(self, scheduler, *, tasks, **kwargs):
        self.graphs.append({key: set(scheduler.tasks[key].worker_restrictions or ()) for key in tasks})


def watched(client, work):
    scheduler = client.cluster.scheduler
    watch = Watch()
    scheduler.add_plugin(watch, name="watch")
    try:
        work()
    finally:
        scheduler.remove_plugin("watch")
    return watch.graphs


def test_a_product_is_one_message_and_its_restrictions_arrive(client):
    """A product is one graph; each multiplication is restricted to its worker, nothing else is restricted."""
    futures = place(client, MATRIX, "csr")
    workers = targets(6, worker_addresses(client), 0)
    (graph,) = watched(client, lambda: client.compute(product(futures, X, workers)).result())
    new = {key: where for key, where in graph.items() if key not in {f.key for f in futures}}
    multiplies = sorted(key for key in new if isinstance(key, tuple) and key[0].startswith("multiply-"))
    assert [new[key] for key in multiplies] == [{w} for w in workers]
    assert all(not where for key, where in new.items() if key not in multiplies)
    # x is one key, not an argument of each task
    assert len(new) == 6 + 2


def test_a_chain_of_products_is_one_graph(client):
    """A product can be the x of the next; restrictions and the result are those of separate sweeps."""
    futures = place(client, MATRIX, "csr")
    workers = worker_addresses(client)
    chain = product(futures, product(futures, X, targets(6, workers, 0)), targets(6, workers, 1))
    result = []
    graphs = watched(client, lambda: result.append(client.compute(chain).result()))
    assert len(graphs) == 1
    assert sum(len(where) for key, where in graphs[0].items() if isinstance(key, tuple) and "multiply" in key[0]) == 12
    np.testing.assert_array_equal(result[0], np.concatenate([MATRIX.panel_csr(p) @ Y for p in range(6)]))


def test_x_may_be_a_future_and_panels_may_be_delayed(client):
    """A future as x and delayed panels are read in place."""
    import dask

    delayed = [dask.delayed(make_csr)(MATRIX, p) for p in range(6)]
    np.testing.assert_array_equal(client.compute(product(delayed, client.scatter(X))).result(), Y)
    np.testing.assert_array_equal(product(delayed, dask.delayed(X)).compute(scheduler="threads"), Y)


def test_the_same_product_is_computed_again(client):
    """Two equal products have different keys, so that the second is not answered from memory."""
    futures = place(client, MATRIX, "csr")
    assert product(futures, X).key != product(futures, X).key


SCHEDULER = """
import asyncio, sys
from distributed import Scheduler

async def main():
    async with Scheduler(port=0, dashboard=False) as scheduler:
        print(scheduler.address, flush=True)
        await scheduler.finished()

asyncio.run(main())
"""

WORKER = """
import asyncio, sys
from distributed import Worker

async def main():
    async with Worker(sys.argv[1], nthreads=1, dashboard=False) as worker:
        await worker.finished()

asyncio.run(main())
"""


def test_numba_is_not_loaded_in_the_scheduler():
    """A scheduler in its own process has loaded neither Numba nor the tiles after a block product."""
    scheduler = subprocess.Popen([sys.executable, "-c", SCHEDULER], stdout=subprocess.PIPE, text=True)
    address = scheduler.stdout.readline().strip()
    workers = [subprocess.Popen([sys.executable, "-c", WORKER, address]) for _ in range(2)]
    try:
        with Client(address) as client:
            client.wait_for_workers(2)
            futures = place(client, MATRIX, "full")
            where = targets(6, worker_addresses(client), 0)
            np.testing.assert_array_equal(client.compute(product(futures, X, where)).result(), Y)
            loaded = client.run_on_scheduler(lambda: sorted(sys.modules))
    finally:
        for process in (*workers, scheduler):
            process.terminate()
        for process in (*workers, scheduler):
            process.wait(10)
            if process.stdout:
                process.stdout.close()
    assert "asafess.workloads.block_spmv" in loaded
    assert not {"numba", "asafess.tiles", "asafess.kernels", "scipy"} & set(loaded)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], X), "panels is empty; there must be at least one"),
        (([np.eye(2)], X[:2], ["a", "b"]), "workers names 2 addresses; it must name one for each of 1 panels"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    """Too few panels or workers are refused before a graph is built."""
    with pytest.raises(ValueError, match=message):
        product(*arguments)
