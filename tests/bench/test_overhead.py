import json

import pytest
from asafess.bench.overhead import end_to_end, main
from asafess.bench.scores import timed
from click.testing import CliRunner
from distributed import Client, LocalCluster


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        Client(cluster) as made,
    ):
        yield made


def test_a_whole_program_runs_with_each_plugin_in_turn_and_each_result_is_checked(client):
    seen = {}

    def look(row):
        seen.setdefault(row["arm"].removesuffix(" again"), set()).update(client.run_on_scheduler(names))

    import asafess.bench.overhead as overhead

    original = overhead.measure
    overhead.measure = lambda *args, **kwargs: original(*args, on_progress=look, **kwargs)
    try:
        result = end_to_end(client, tasks=20, rounds=1)
    finally:
        overhead.measure = original
    assert {r["error"] for r in result.rows} == {None}
    assert len(timed(result.rows)) == 4
    ours = {arm: {n for n in plugins if n in ("asafess", "empty")} for arm, plugins in seen.items()}
    assert ours == {"nothing": set(), "empty": {"empty"}, "asafess": {"asafess"}}


def names(dask_scheduler):
    return list(dask_scheduler.plugins)


def test_the_program_writes_a_file_with_the_promised_summary(tmp_path):
    path = tmp_path / "o.json"
    options = ["--leaves", "100", "--tasks", "40", "--rounds", "2", "--whole-rounds", "2", "--workers", "2"]
    done = CliRunner().invoke(main, ["--json", str(path), *options])
    assert done.exit_code == 0, done.output
    document = json.loads(path.read_text())
    assert set(document) == {"summary", "rows", "environment"}
    summary = document["summary"]
    assert {"added_us_per_task", "added_us_per_task_interval", "task_us", "tick_us"} <= set(summary)
    assert set(summary["tick_us"]) == {"5", "50", "500"}
    low, high = summary["added_us_per_task_interval"]
    assert low <= summary["added_us_per_task"] <= high
    assert summary["task_us"] > 0
    assert {r["part"] for r in document["rows"]} == {"pure scheduler", "whole program"}
    assert document["environment"]["links"]["workers"] == 2
    assert "A against A" in done.output
