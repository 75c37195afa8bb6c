"""What keeps the contract passes; what is no optimization is told so."""

import os
import sys

import flawed
import pytest
from distributed import Client, LocalCluster

import asafess
from asafess.optimizations.null import Null
from asafess.testing import check_optimization


@pytest.mark.parametrize("sound", [flawed.Unit(), flawed.AddsCodec(), flawed.InScheduler(), flawed.LeavesLater()])
def test_what_keeps_the_contract_passes_and_is_not_changed(sound):
    before = dict(vars(sound))
    check_optimization(sound)
    assert vars(sound) == before
    assert os.environ.get("UNIT") is None


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (flawed.Unit, "must be an object of a subclass of asafess.Optimization"),
        ("unit", "must be an object of a subclass of asafess.Optimization"),
        (flawed.Nameless(), "a name must be text that is not empty"),
        (flawed.Reserved(), "no state can be named auto or shadow"),
        (flawed.Unpicklable(), "unit must be picklable"),
        (flawed.Changeling(), r"its dwell was 1\.0"),
    ],
)
def test_a_declaration(broken, says):
    with pytest.raises(AssertionError, match=says):
        check_optimization(broken)


def test_the_scheduler_need_not_have_what_the_workers_have():
    with pytest.raises(AssertionError, match=r"in another process without sympy: .*No module named 'sympy'"):
        check_optimization(flawed.NeedsPackage(), without=["sympy"])


def test_a_module_that_only_this_process_can_import(monkeypatch):
    monkeypatch.setattr("sys.path", [one for one in sys.path if not one.endswith("testing")])
    with pytest.raises(AssertionError, match=r"put the class into a module .*No module named 'flawed'"):
        check_optimization(flawed.Unit())


def test_a_client_that_can_not_be_used_is_refused():
    with pytest.raises(AssertionError, match=r"client must be a dask\.distributed\.Client"):
        check_optimization(Null(), client="tcp://127.0.0.1:8786")


def test_on_a_cluster_of_ones_own_with_workers_that_are_processes():
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster, Client(cluster) as client:
        check_optimization(flawed.Unit(), client=client)
        with pytest.raises(AssertionError, match="the same with unit pinned to 'on'"):
            check_optimization(flawed.Unit(), flawed.looks_at_the_unit, client=client)
        with pytest.raises(asafess.NotInstalledError):
            asafess.status(client)
