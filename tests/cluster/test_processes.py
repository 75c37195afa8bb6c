"""Real schedulers and workers, each its own process; what only separate processes show."""

from pathlib import Path

import numpy as np
import pytest
from distributed import Client
from processes import cluster, process, wait_for, without_asafess

import asafess
from asafess.workloads.block_spmv import product
from asafess.workloads.graph500 import matrix
from asafess.workloads.placement import place, targets, worker_addresses


@pytest.fixture
def elsewhere(tmp_path):
    return without_asafess(tmp_path)


def test_preloaded_processes_compress_a_streaming_product_and_the_scheduler_never_loads_numba(tmp_path):
    preload = ["--preload", "asafess.preload"]
    env = {"DASK_ASAFESS__RATES__LINK": "1e8", "DASK_ASAFESS__DTYPES": '["float64"]'}
    with cluster(tmp_path, preload, preload, env, env) as file, Client(scheduler_file=file) as client:
        wait_for(lambda: len(client.scheduler_info()["workers"]) == 2, "the workers did not come")
        asafess.wait(client)
        a = matrix(10, values="analytic", panels=4)
        workers = worker_addresses(client)
        panels = place(client, a, "dense")
        y = client.compute(product(panels, a.vector(0), targets(4, workers, 0))).result()
        np.testing.assert_allclose(y, a.expected(0), rtol=1e-8)
        status = asafess.status(client)
        assert status["fault"] is None
        assert status["states"] == {"tile_compression": "full"}

        def through_the_doors():
            reports = asafess.status(client)["reports"].values()
            return [sum(report[name] for report in reports) for name in ("logical_bytes", "sent_bytes")]

        # each of the four panels has moved; their workers report a moment later
        wait_for(lambda: through_the_doors()[0] >= 8 * a.shape[0] * a.shape[1], "the workers did not report")
        logical, sent = through_the_doors()
        assert 0 < sent < logical / 2

        def heavy(dask_scheduler):
            import sys

            return [name for name in ("numba", "scipy", "asafess.tiles", "asafess.kernels.jit") if name in sys.modules]

        assert client.run_on_scheduler(heavy) == []


def installed_anywhere(client):
    def on_scheduler(dask_scheduler):
        return "asafess" in dask_scheduler.plugins or "asafess" in dask_scheduler.worker_plugins

    def on_worker(dask_worker):
        return "asafess" in dask_worker.plugins

    return client.run_on_scheduler(on_scheduler) or any(client.run(on_worker).values())


@pytest.mark.parametrize("where", ["scheduler", "worker"])
def test_where_the_package_is_missing_the_error_names_the_place_and_nothing_is_left_behind(tmp_path, elsewhere, where):
    with (
        cluster(tmp_path, workers=1, **{f"{where}_env": elsewhere}) as file,
        Client(scheduler_file=file) as client,
    ):
        wait_for(lambda: client.scheduler_info()["workers"], "the worker did not come")
        place_ = "the scheduler" if where == "scheduler" else r"worker tcp://127\.0\.0\.2"
        with pytest.raises(asafess.NotInstalledError, match=rf"can't be imported by {place_}.*pip install asafess"):
            asafess.install(client)
        assert not installed_anywhere(client)
        assert client.submit(sum, [1, 2]).result() == 3


def test_a_worker_that_joins_without_the_package_does_not_harm_the_others(tmp_path, elsewhere):
    with cluster(tmp_path, workers=1) as file, Client(scheduler_file=file) as client:
        wait_for(lambda: client.scheduler_info()["workers"], "the worker did not come")
        asafess.install(client, ["null"], rates={"flop": 1e9, "memory": 1e9, "link": 1e8})
        asafess.wait(client)
        late = ["worker", "--scheduler-file", file, "--no-nanny", "--nthreads", "1", "--host", "127.0.0.9"]
        with process(late, tmp_path / "late.log", elsewhere):
            wait_for(lambda: "asafess" in Path(tmp_path / "late.log").read_text(), "the late worker said nothing")
            assert client.submit(sum, [1, 2], pure=False).result() == 3
            assert asafess.status(client)["fault"] is None
