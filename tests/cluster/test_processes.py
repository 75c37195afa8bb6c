"""Real schedulers and workers, each its own process; what only separate processes show."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from distributed import Client

import asafess
from asafess.workloads.block_spmv import product
from asafess.workloads.graph500 import matrix
from asafess.workloads.placement import place, targets, worker_addresses

#: puts a stone in the way of `import asafess`, as on a machine where it is not installed
WITHOUT = """
import sys

class NotHere:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "asafess":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NotHere())
"""


def wait_for(condition, what, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return found


@contextmanager
def process(arguments, log, env):
    with log.open("w") as out:
        command = [sys.executable, "-m", "dask", *arguments]
        started = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **env})
    try:
        yield
    finally:
        started.terminate()
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


@contextmanager
def cluster(folder, scheduler=(), worker=(), scheduler_env=None, worker_env=None, workers=2):
    """`dask scheduler` and `dask worker` processes on addresses of their own; yields the scheduler's address."""
    file = folder / "scheduler.json"
    scheduler_arguments = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", *scheduler]
    with process([*scheduler_arguments, "--scheduler-file", str(file)], folder / "scheduler.log", scheduler_env or {}):
        wait_for(file.exists, "the scheduler did not start")
        started = []
        for number in range(workers):
            arguments = ["worker", "--scheduler-file", str(file), "--no-nanny", "--nthreads", "1", "--no-dashboard"]
            arguments += ["--host", f"127.0.0.{number + 2}", "--local-directory", str(folder), *worker]
            started.append(process(arguments, folder / f"worker{number}.log", worker_env or {}))
        for one in started:
            one.__enter__()
        try:
            yield str(file)
        finally:
            for one in started:
                one.__exit__(None, None, None)


@pytest.fixture
def elsewhere(tmp_path):
    """An environment in which `asafess` can't be imported."""
    folder = tmp_path / "without"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(WITHOUT)
    return {"PYTHONPATH": str(folder)}


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
