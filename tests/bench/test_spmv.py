import doctest
import json
import os
import time
from importlib import import_module
from typing import ClassVar

import numpy as np
import psutil
import pytest
from asafess.bench import spmv, spmv_stock
from asafess.bench.harness import Outcome
from asafess.bench.links import local_cluster
from asafess.bench.spmv_cases import Case, cases, chosen
from asafess.bench.spmv_cluster import OURS, measured
from asafess.bench.spmv_reference import expected
from asafess.bench.spmv_summary import summarize
from click.testing import CliRunner
from distributed import Client

from asafess.workloads import graph500


def test_configurations_differ_from_the_base_in_one_thing():
    base = Case()
    found = cases(base, ["loopback", "1gbit", "100mbit"])
    assert len({case.key for case in found}) == len(found)
    for case in found:
        differ = [name for name in vars(base) if getattr(case, name) != getattr(base, name)]
        # of the links that stock Dask runs on too, each has random values as well; resident is on loopback
        assert len(differ) <= 1 or differ in (["link", "values"], ["placement", "link"])
    assert {case.share for case in found} == {0, 2, 5, 10, 20, 50}
    assert {case.scale for case in found} == {11, 12, 13, 14}
    assert {case.tile for case in found} == {128, 256, 512, 1024}
    assert not [case for case in cases(Case(link="100mbit"), ["100mbit"]) if case.scale == 14]
    assert chosen([case.key for case in found], "resident/*") == ["resident/loopback/recursive/20/11/128"]


@pytest.mark.parametrize("values", ["analytic", "random"])
def test_what_a_run_must_come_to(values):
    a = graph500.matrix(7, tile=32, values=values)
    whole = np.concatenate([a.panel_array(p) for p in range(a.panels)])
    assert np.allclose(sum(whole @ a.vector(k) for k in range(3)), expected(a, 3), rtol=1e-12)


@pytest.mark.parametrize("name", ["cases", "oracle", "reference", "report", "summary"])
def test_the_examples_in_the_docstrings_run(name):
    found = doctest.testmod(import_module(f"asafess.bench.spmv_{name}"))
    assert found.attempted > 0
    assert found.failed == 0


class Program:
    """Runs whose results are right or wrong."""

    kinds: ClassVar = {"adaptive": "ours", "oracle": "oracle", "bad": "stock"}
    sweeps = 4

    def prepare(self, arm):
        pass

    def run(self, arm):
        return Outcome((arm, 1))

    def verify(self, outcome):
        return "wrong result" if outcome.value[0] == "bad" else {}


def test_a_wrong_result_is_a_failed_row():
    rows = measured([Program()], "k", rounds=1, seed=1)
    assert {row["arm"]: row["error"] for row in rows} == {
        "adaptive": None,
        "adaptive again": None,
        "oracle": None,
        "bad": "wrong result",
    }
    assert all(row["sweep_seconds"] == row["seconds"] / 4 for row in rows)
    assert [one["arm"] for one in summarize(rows)["failed"]] == ["bad"]


def test_stock_dask_moves_the_whole_matrix_in_each_sweep_and_is_checked():
    a = graph500.matrix(8, tile=64, values="random")
    arms = ["dask.array numpy", "dask off"]
    with local_cluster(2) as cluster, Client(cluster.address, set_as_default=False) as client:
        stock = spmv_stock.Stock(client, a, arms, "stream")
        stock.start(3)
        for arm in arms:
            stock.prepare(arm)
            outcome = stock.run(arm)
            found = stock.verify(outcome)
            assert found["bytes_moved"] >= 3 * 8 * 2**16
            assert stock.verify(Outcome((arm, outcome.value[1] * (1 + 1e-7)))).startswith("wrong result")
        pids = [*client.run(os.getpid).values(), client.run_on_scheduler(os.getpid)]
        with spmv_stock._one_awake([client]) as wake:
            wake(None)
            assert become(pids, stopped=True)
            wake(client)
            assert become(pids, stopped=False)
            wake(None)
        assert become(pids, stopped=False)
        assert client.submit(sum, [1, 2]).result() == 3


def become(pids, stopped):
    """Wait until all processes are stopped, or all run."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if {psutil.Process(pid).status() == psutil.STATUS_STOPPED for pid in pids} == {stopped}:
            return True
        time.sleep(0.01)
    return False


def test_a_small_run_on_a_cluster(tmp_path, monkeypatch):
    # `enter` may start the whole process again; this run needs no shaped links
    monkeypatch.setattr(spmv, "enter", lambda: None)
    monkeypatch.setattr(spmv, "usable_links", lambda say: (["loopback"], {"1gbit": "not in this test"}))
    path = tmp_path / "s.json"
    options = ["--scale", "8", "--workers", "2", "--rounds", "1", "--quick", "--no-peers", "--shortest", "0"]
    options += ["--only", "*/loopback/recursive/20/8/128"]
    done = CliRunner().invoke(spmv.main, ["--json", str(path), *options])
    assert done.exit_code == 0, done.output
    document = json.loads(path.read_text())
    keys = ["stream/loopback/recursive/20/8/128", "resident/loopback/recursive/20/8/128"]
    rows, summary = document["rows"], document["summary"]
    assert list(dict.fromkeys(row["configuration"] for row in rows)) == keys
    for key in keys:
        its = {row["arm"]: row for row in rows if row["configuration"] == key}
        assert set(its) == {*OURS, "adaptive again"}
        assert all(row["ok"] and row["max_abs_error"] < 1e-6 for row in its.values())
        assert len({row["sweeps"] for row in its.values()}) == 1
        moved = its["dense"]["bytes_moved"] / its["dense"]["sweeps"]
        assert moved >= 8 * 2**16 if key.startswith("stream") else moved < 2**16
        for reference in ("dense", "sparse", "light", "full", "oracle", "best_fixed"):
            low, high = summary[f"speedup_vs_{reference}_interval"][key]
            assert low <= summary[f"speedup_vs_{reference}"][key] <= high
        assert key in done.output
    assert summary["oracle_threshold"].keys() == set(keys)
    assert summary["skipped"]["1gbit"] == "not in this test"
    assert document["environment"]["base"] == keys[0]
