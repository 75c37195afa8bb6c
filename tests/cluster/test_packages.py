"""Optimizations of other packages on schedulers and workers that are processes of their own."""

import os
from pathlib import Path

import pytest
from distributed import Client
from packages import distribution, on_path
from processes import cluster, process, wait_for

import asafess

RATES = {"flop": 1e9, "memory": 1e9, "link": 1e8}


@pytest.fixture
def folder(tmp_path):
    """A folder with the package on the path of this process, the client's."""
    folder = tmp_path / "site"
    folder.mkdir()
    distribution(folder, "mine-package", "mine = mine_package:Mine")
    with on_path(folder):
        yield folder


def with_package(folder):
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}


def variables(client):
    """What the acting half has set in each worker."""
    return set(client.run(lambda: os.environ.get("MINE")).values())


def test_a_package_that_is_everywhere_is_installed_by_name_and_acts_on_the_workers(tmp_path, folder):
    env = with_package(folder)
    with cluster(tmp_path, scheduler_env=env, worker_env=env) as file, Client(scheduler_file=file) as client:
        wait_for(lambda: len(client.scheduler_info()["workers"]) == 2, "the workers did not come")
        asafess.install(client, ["mine"], rates=RATES)
        asafess.wait(client)
        asafess.pin(client, "mine", "on")
        assert client.submit(sum, [1, 2]).result() == 3
        assert variables(client) == {"on"}
        asafess.uninstall(client)
        assert variables(client) == {None}


def test_the_configuration_of_a_preloaded_scheduler_names_it_and_workers_need_only_the_module(tmp_path, folder):
    env = {**with_package(folder), "DASK_ASAFESS__OPTIMIZATIONS": '["mine"]', "DASK_ASAFESS__MINE__ALPHA": "0.125"}
    preload = ["--preload", "asafess.preload"]
    with (
        cluster(tmp_path, preload, (), env, with_package(folder), workers=1) as file,
        Client(scheduler_file=file) as client,
    ):
        asafess.wait(client)
        asafess.pin(client, "mine", "on")
        assert client.submit(sum, [1, 2]).result() == 3
        assert variables(client) == {"on"}

        def alpha(dask_scheduler):
            return dask_scheduler.plugins["asafess"].settings.optimizations[0].alpha

        assert client.run_on_scheduler(alpha) == 0.125


@pytest.mark.parametrize("where", ["scheduler", "worker"])
def test_where_the_package_is_missing_the_error_names_module_and_place(tmp_path, folder, where):
    there = {"scheduler_env": with_package(folder), "worker_env": with_package(folder)}
    del there[f"{where}_env"]
    with cluster(tmp_path, workers=1, **there) as file, Client(scheduler_file=file) as client:
        wait_for(lambda: client.scheduler_info()["workers"], "the worker did not come")
        place = "the scheduler" if where == "scheduler" else r"worker tcp://127\.0\.0\.2"
        with pytest.raises(asafess.NotInstalledError, match=rf"{place}.* can't import mine_package: No module"):
            asafess.install(client, ["mine"], rates=RATES)
        with pytest.raises(asafess.NotInstalledError):
            asafess.status(client)
        assert client.submit(sum, [1, 2]).result() == 3


def test_a_worker_that_joins_without_the_package_does_not_harm_the_others(tmp_path, folder):
    env = with_package(folder)
    with cluster(tmp_path, scheduler_env=env, worker_env=env, workers=1) as file, Client(scheduler_file=file) as client:
        wait_for(lambda: client.scheduler_info()["workers"], "the worker did not come")
        asafess.install(client, ["mine"], rates=RATES)
        asafess.wait(client)
        late = ["worker", "--scheduler-file", file, "--no-nanny", "--nthreads", "1", "--host", "127.0.0.9"]
        with process(late, tmp_path / "late.log", {}):
            wait_for(lambda: "mine_package" in Path(tmp_path / "late.log").read_text(), "the late worker said nothing")
            asafess.pin(client, "mine", "on")
            assert client.submit(sum, [1, 2], pure=False).result() == 3
            assert asafess.status(client)["fault"] is None
