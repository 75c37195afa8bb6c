import json
from pathlib import Path

import numpy as np
import pytest
from asafess.bench import generator
from asafess.bench.harness import Outcome
from asafess.bench.scores import estimate, paired_ratios
from click.testing import CliRunner

from asafess.workloads import graph500


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> tuple[dict, str]:
    path = Path(tmp_path_factory.mktemp("generator")) / "g.json"
    sizes = ["--edges", "5000", "--shared-edges", "300000", "--panel-scale", "9", "--rounds", "2"]
    options = ["--scale", "6", "--scale", "8", "--threads", "1", "--threads", "3", *sizes]
    done = CliRunner().invoke(generator.main, ["--json", str(path), *options])
    assert done.exit_code == 0, done.output
    return json.loads(path.read_text()), done.output


def test_the_file_holds_the_promised_summary(small):
    document, _ = small
    summary = document["summary"]
    assert {order: set(by) for order, by in summary["edges_per_second"].items()} == {
        order: {"6", "8"} for order in ("scrambled", "recursive", "uniform")
    }
    assert set(summary["vs_threads"]) == {"1", "3"}
    assert set(summary["speedup_vs_threads"]) == {"3"}
    assert set(summary["entries_per_second"]) == set(summary["bytes_per_second"]) == {*generator.FORMS, generator.GRAPH}
    assert summary["compile_seconds"] >= 0
    assert document["environment"]["job"]["panel_scale"] == 9
    assert {r["error"] for r in document["rows"]} == {None}
    assert {r["part"] for r in document["rows"]} == {"lists", "threads", "panels"}


def test_each_number_lies_in_its_interval_and_comes_from_the_rows(small):
    document, _ = small
    summary, rows = document["summary"], document["rows"]

    def walk(numbers, ends):
        if isinstance(numbers, dict):
            return all(walk(numbers[key], ends[key]) for key in numbers)
        return 0 < ends[0] <= numbers <= ends[1]

    for name in ("edges_per_second", "vs_threads", "speedup_vs_threads", "entries_per_second", "bytes_per_second"):
        assert walk(summary[name], summary[name + "_interval"]), name
    timed = [r for r in rows if not r["warmup"]]
    rates = [r["edges"] / r["seconds"] for r in timed if r["arm"] == "uniform 8"]
    assert summary["edges_per_second"]["uniform"]["8"] == pytest.approx(np.median(rates))
    rates = [r["bytes"] / r["seconds"] for r in timed if r["arm"] == "csr"]
    assert summary["bytes_per_second"]["csr"] == pytest.approx(np.median(rates))
    shared = [r for r in rows if r["part"] == "threads"]
    assert summary["speedup_vs_threads"]["3"] == pytest.approx(estimate(paired_ratios(shared, "1", "3")).median)


def test_tables_are_printed_with_the_rate_that_was_measured_elsewhere(small):
    _, output = small
    assert "edges_per_second, million, one thread" in output
    assert "A against A" in output
    assert "published at 3.1 million edges/s per thread, on another machine" in output


def test_a_wrong_list_is_noticed():
    found = graph500.edges(6, count=5000)

    def make(**slice_):
        return graph500.edges(6, **slice_)

    assert generator._same_edges(Outcome((found, make))) is None
    found[2000, 1] ^= 1
    assert "edges from number 1667 on" in generator._same_edges(Outcome((found, make)))


def test_a_wrong_panel_is_a_failed_row(monkeypatch):
    monkeypatch.setattr(generator, "FORMS", ("csr",))
    monkeypatch.setattr(graph500.Graph500Matrix, "panel_csr", lambda a, p: _csr_of_another(a, p))
    rows = generator.panels(8, rounds=1).rows
    assert {r["ok"] for r in rows if r["arm"] == "csr"} == {False}
    assert "entries instead of" in next(r["error"] for r in rows if r["arm"] == "csr")
    assert generator.rates(rows, "bytes")["csr"].high == 0


def _csr_of_another(a, p):
    import scipy.sparse

    return scipy.sparse.csr_array((a.rows(p).stop - a.rows(p).start, a.shape[1]))


def test_one_thread_must_come_first():
    done = CliRunner().invoke(generator.main, ["--threads", "2", "--threads", "1"])
    assert done.exit_code == 2
    assert "2 comes first; 1 must" in done.output
