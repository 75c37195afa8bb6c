import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import click
import dask
import pytest
from distributed import Client

from asafess.cluster.messages import NAME
from bench import disks, optimizations
from bench.links import allowed, local_cluster
from bench.optimizations import Plan, cluster_of, wanted
from bench.toggles import cases
from bench.toggles.case import Case, Program, Wanted
from bench.toggles.race import race

ok, reason = allowed()


def small(case, only="", **given):
    """Run a case in its small form; return the plan with its rows, and what it said."""
    said = []
    plan = Plan(1, 1, small=True, only=only, say=said.append, **given)
    plan.case(case)
    return plan, "\n".join(said)


def test_the_command_writes_all_that_the_long_form_does(tmp_path):
    path = tmp_path / "found.json"
    command = [sys.executable, "-m", "bench.optimizations", "queuing", "--small", "--only", "both", "--json", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    found = json.loads(path.read_text())
    assert [row["error"] for row in found["rows"] if not row["ok"]] == []
    arms = {"off", "queuing=open", "adaptive", "adaptive again", "null"}
    assert {row["arm"] for row in found["rows"]} == arms
    both = found["summary"]["queuing"]["both"]
    assert both["adaptive_over_best_fixed"]["median"] > 0
    assert both["null_over_off"]["n"] == 1
    assert both["better_fixed_over_adaptive"]["median"] > 0
    assert both["bound"] >= 1
    assert set(both["phase_seconds"]["adaptive"]) == {"swarm", "data"}
    # a pinned state is the one that the run ended in
    states = {row["arm"]: row["states"] for row in found["rows"] if row["arm"] not in ("off", "null")}
    assert states["queuing=open"] == "queuing=open"
    assert found["environment"]["links"]["queuing, loopback"]["workers"] == 2


@pytest.mark.skipif(not ok, reason=f"no shaped links: {reason}")
def test_several_optimizations_on_a_shaped_link_in_every_combination():
    plan, said = small(replace(cases()["all"], optimizations=("queuing", "null"), needs=()))
    assert [row["error"] for row in plan.rows if not row["ok"]] == []
    arms = {"off", "queuing=queued null=on", "queuing=open null=off", "queuing=open null=on"}
    assert {row["arm"] for row in plan.rows} == {*arms, "adaptive", "adaptive again", "null"}
    found = plan.summary["all"]
    assert set(found["phase_seconds"]["off"]) == {"swarm", "exchange", "data", "few", "many"}
    assert found["better_fixed_over_adaptive"].n == 1
    assert plan.links["all, 100mbit"]["rate"] == "100mbit"
    assert "bound" in said


def test_cells_are_summed_up_as_a_set():
    case = replace(cases()["wire_compression"], optimizations=("null",))
    plan, said = small(case, only="loopback 10 %")
    assert [row["error"] for row in plan.rows if not row["ok"]] == []
    assert {row["program"] for row in plan.rows} == {"loopback 10 % tasks", "loopback 10 % p2p"}
    assert plan.summary["wire_compression"]["set"]["programs"] == 2
    assert "null=on ÷ adaptive: sum" in said


def test_what_can_not_be_measured_here_is_skipped_with_a_line(monkeypatch):
    plan, said = small(replace(cases()["queuing"], optimizations=("no_such",)))
    assert said == "queuing: skipped, no_such is not in the registry of optimizations"
    assert plan.summary == {"queuing": {"skipped": [said]}}
    monkeypatch.setattr(optimizations, "allowed", lambda: (False, "not today"))
    plan, said = small(replace(cases()["work_stealing"], optimizations=("null",)))
    assert said == "work_stealing: skipped on links of 100mbit, which can't be shaped here: not today"
    assert plan.rows == []


def test_a_name_that_is_no_case_is_refused_with_those_that_are():
    with pytest.raises(click.BadParameter, match=r"quewing: the cases are .*queuing"):
        wanted(["queuing", "quewing"])
    assert [case.name for case in wanted(["null", "queuing", "null"])] == ["null", "queuing"]
    assert {case.name for case in wanted([])} == set(cases())


def test_a_disk_that_can_not_be_limited_here_is_skipped_with_a_line(monkeypatch):
    monkeypatch.setattr(optimizations.disks, "allowed", lambda: (False, "not today"))
    plan, said = small(replace(cases()["spill_compression"], optimizations=("null",), needs=()), only="both")
    assert said == "spill_compression: skipped on disks of 100MB/s, which can't be had here: not today"
    assert plan.rows == []


class Setting:
    """Tells what the workers would compress with, and whether `asafess` is there."""

    def __init__(self, client, workers):
        self.client = client

    def prepare(self):
        pass

    def run(self):
        found = self.client.run(lambda: dask.config.get("distributed.comm.compression"))
        plugins = self.client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.plugins))
        return 1, {"zlib": set(found.values()) == {"zlib"}, "asafess": NAME in plugins}


def test_an_arm_of_stock_dask_has_its_own_configuration_alone():
    case = Case(
        "setting",
        ("null",),
        lambda small: [Program("setting", Wanted(), Setting)],
        configured={"dask zlib": {"distributed.comm.compression": "zlib"}},
        null=False,
    )
    with local_cluster(2) as cluster, Client(cluster.address, set_as_default=False) as client:
        [program] = case.programs(True)
        result = race(client, cluster, case, program, {"flop": 1e9, "memory": 1e9, "link": 1e8}, 2, 2, warmup=0)
    assert [row["error"] for row in result.rows if not row["ok"]] == []
    found = {(row["arm"].split()[0], row["phases"]["zlib"], row["phases"]["asafess"]) for row in result.rows}
    assert found == {("off", 0, 0), ("dask", 1, 0), ("null=on", 0, 1), ("adaptive", 0, 1)}


def spilled(dask_worker):
    return dask_worker.local_directory, dask_worker.memory_manager.memory_target_fraction


@pytest.mark.skipif(not disks.allowed()[0], reason=f"no limited disks: {disks.allowed()[1]}")
def test_workers_spill_to_their_own_disks_as_they_are_told():
    target = "distributed.worker.memory.target"
    with (
        cluster_of(Wanted(2, disk="100MB", config=((target, 0.3),))) as cluster,
        Client(cluster.address, set_as_default=False) as client,
    ):
        found = client.run(spilled)
    for folder, share in found.values():
        assert "/disk/" in folder
        assert not Path(folder).exists()  # it is there for the worker alone
        assert share == 0.3


def test_limited_links_and_disks_at_once_are_refused():
    with (
        pytest.raises(ValueError, match=r"link='100mbit', disk='100MB'"),
        cluster_of(Wanted(2, 1, "100mbit", disk="100MB")),
    ):
        pass


class Growing:
    """A program whose result is another one each time, by so much."""

    def __init__(self, client, workers, by=1.0):
        self.values = count(1.0, by)

    def prepare(self):
        pass

    def run(self):
        return next(self.values), {"growing": 1.0}


@pytest.mark.parametrize(
    ("by", "error", "wrong"), [(1.0, 0.0, 3), (1e-9, 0.0, 3), (1e-9, 1e-6, 0), (1e-3, 1e-6, 3)], ids=str
)
def test_a_run_whose_result_differs_by_more_than_the_declared_error_is_a_failed_row(by, error, wrong):
    program = Program("growing", Wanted(), partial(Growing, by=by))
    case = Case("growing", ("null",), lambda small: [program], null=False, error=error)
    with local_cluster(1) as cluster, Client(cluster.address, set_as_default=False) as client:
        rows = race(client, cluster, case, program, {"flop": 1e9, "memory": 1e9, "link": 1e8}, 1, 1, warmup=0).rows
    assert sorted(row["ok"] for row in rows) == [False] * wrong + [True] * (4 - wrong)
    within = f" by more than {error}" if error else ""
    said = {f"the result differs from that of the first run{within}"} if wrong else set()
    assert {row["error"] for row in rows if not row["ok"]} == said
