import json

import pytest
from asafess.bench import spmv_report, spmv_summary
from asafess.bench.harness import write_json

KEY, OTHER = "stream/1gbit/recursive/20/11/128", "stream/1gbit/recursive/50/11/128"
KINDS = {"oracle": "oracle", "dask off": "stock", "dask lz4": "stock", "local numpy × 1": "local"}


def rows(seconds, key=KEY, rounds=5, again=1.0):
    """Return rows in which each arm takes so many seconds per sweep; round k is 1 + k times as slow, for all."""
    twice = seconds["adaptive"]
    seconds = seconds | {"adaptive again": None if twice is None else twice * again}
    return [
        {
            "configuration": key,
            "arm": arm,
            "kind": KINDS.get(arm, "ours"),
            "round": k,
            "order": 0,
            "warmup": False,
            "sweeps": 10,
            "seconds": None if each is None else 10 * each * (1 + k),
            "sweep_seconds": None if each is None else each * (1 + k),
            "ok": each is not None,
            "error": None if each is not None else "broken",
        }
        for arm, each in seconds.items()
        for k in range(rounds)
    ]


def test_ratios_are_paired_by_round_and_both_readings_of_speedup_are_given():
    made = rows({"adaptive": 1.0, "dense": 2.0, "sparse": 0.5, "light": 1.25, "full": 1.0, "oracle": 0.8})
    summary = spmv_summary.summarize(made + rows({"adaptive": 1.0, "dense": 4.0}, OTHER))
    assert summary["speedup_vs_dense"] == {KEY: 2.0, OTHER: 4.0}
    assert summary["speedup_vs_dense_interval"][KEY] == [2.0, 2.0]
    assert summary["time_saved_vs_dense"] == {KEY: 0.5, OTHER: 0.75}
    assert summary["speedup_vs_sparse"] == {KEY: 0.5}
    assert summary["time_saved_vs_sparse"] == {KEY: -1.0}
    assert summary["best_fixed"] == {KEY: "full", OTHER: "dense"}
    assert summary["speedup_vs_best_fixed"] == {KEY: 1.0, OTHER: 4.0}
    assert summary["a_against_a"][KEY] == 0.0
    assert "speedup_vs_best_peer" not in summary


def test_the_best_peers_are_found_apart_from_ours():
    made = rows({"adaptive": 1.0, "dense": 2.0, "dask off": 3.0, "dask lz4": 1.5, "local numpy × 1": 0.01})
    summary = spmv_summary.summarize(made)
    assert (summary["best_peer"][KEY], summary["speedup_vs_best_peer"][KEY]) == ("dask lz4", 1.5)
    assert (summary["best_local_peer"][KEY], summary["speedup_vs_best_local_peer"][KEY]) == ("local numpy × 1", 0.01)


def test_losses_are_what_lies_beyond_a_against_a_and_never_the_oracle():
    arms = {"adaptive": 1.0, "dense": 0.98, "full": 0.9, "oracle": 0.5, "dask lz4": 0.8}
    found = spmv_summary.summarize(rows(arms, again=1.05))["losses"]
    assert {(one["arm"], one["speedup"]) for one in found} == {("full", 0.9), ("dask lz4", 0.8)}
    assert all(one["configuration"] == KEY and one["a_against_a"] == pytest.approx(0.05) for one in found)


@pytest.mark.parametrize(
    ("oracle", "again", "rounds", "wrong"), [(1.2, 1.05, 5, True), (1.04, 1.05, 5, False), (1.2, 1.05, 4, False)]
)
def test_faster_than_the_oracle_beyond_a_against_a_is_an_error(oracle, again, rounds, wrong):
    made = rows({"adaptive": 1.0, "oracle": oracle}, again=again, rounds=rounds)
    summary = spmv_summary.summarize(made)
    assert [one["configuration"] for one in summary["too_good"]] == [KEY] * wrong
    assert any("ERROR OF THE MEASUREMENT" in line for line in spmv_report.findings(summary)) == wrong


def test_failed_runs_are_infinitely_slow_and_listed():
    summary = spmv_summary.summarize(rows({"adaptive": 1.0, "dense": None, "light": 1.5}))
    assert summary["speedup_vs_dense"][KEY] == float("inf")
    assert summary["best_fixed"][KEY] == "light"
    assert len(summary["failed"]) == 5
    failed = spmv_summary.summarize(rows({"adaptive": None, "dense": 1.0}))
    assert failed["speedup_vs_dense"][KEY] == 0.0
    assert [one["arm"] for one in failed["losses"]] == ["dense"]


def test_table_and_picture_are_made_from_a_file(tmp_path):
    made = [
        row
        for share in (0, 20)
        for row in rows({"adaptive": 1.0, "dense": 2.0, "sparse": 1.1, "light": 1.5, "full": 1.0, "oracle": 0.9,
                         "dask off": 3.0}, f"stream/loopback/recursive/{share}/11/128")
    ]  # fmt: skip
    made.append({"configuration": "shared-memory", "arm": "dense"})  # of part (a): shown by its own report
    where = {"base": "stream/loopback/recursive/20/11/128", "cpu": "X", "cores": 2, "memory_gib": 8.0}
    write_json(tmp_path / "m.json", {}, made, where)
    document = json.loads((tmp_path / "m.json").read_text())
    mine = [row for row in document["rows"] if "kind" in row]
    said = []
    spmv_report.show(mine, document["environment"], tmp_path / "m.png", said.append)
    assert "2.00 × / +50 %" in said[0]
    assert "3.00 × / +67 %" in said[0]
    assert (tmp_path / "m.png").read_bytes().startswith(b"\x89PNG")
