import json
from functools import partial

import pytest
from asafess.bench import overhead
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


def names(dask_scheduler):
    return list(dask_scheduler.plugins)


def test_a_whole_program_runs_with_each_plugin_in_turn_and_each_result_is_checked(client, monkeypatch):
    seen = {}

    def look(row):
        ours = {"asafess", "empty"}.intersection(client.run_on_scheduler(names))
        seen.setdefault(row["arm"].removesuffix(" again"), set()).update(ours)

    monkeypatch.setattr(overhead, "measure", partial(overhead.measure, on_progress=look))
    result = overhead.end_to_end(client, tasks=20, rounds=1, warmup=0)
    assert {r["error"] for r in result.rows} == {None}
    assert len(timed(result.rows)) == 4
    assert seen == {"nothing": set(), "empty": {"empty"}, "asafess": {"asafess"}}


@pytest.mark.parametrize(
    ("low", "high", "noise", "said"),
    [(0.2, 0.7, 0.2, "held"), (0.2, 0.9, 0.2, "not decided here"), (1.3, 2.0, 0.2, "not held")],
)
def test_the_bar_is_held_only_beyond_what_the_same_plugin_differs_from_itself(low, high, noise, said):
    def rows(arm, *numbers):
        common = {"arm": arm, "order": 0, "warmup": False, "ok": True, "error": None}
        return [common | {"round": i, "cpu_us_per_task": 50 + n} for i, n in enumerate(numbers)]

    same = rows("empty", *[0] * 20) + rows("nothing", *[0] * 20)
    pure = same + rows("empty again", *[noise] * 20) + rows("asafess", *[low, high] * 10)
    assert overhead.summarize(pure, None, {"5": 1.0}, 0.5, {"rule": 9.0})["added_us_per_task_at_most_1"] == said


def test_the_program_writes_a_file_with_the_promised_summary(tmp_path, monkeypatch):
    # how well it measures is nothing to this test: few ticks and few graphs
    monkeypatch.setattr(overhead, "tick_us", partial(overhead.tick_us, batches=2, per_batch=2))
    monkeypatch.setattr(overhead, "one_task_us", partial(overhead.one_task_us, graphs=50))
    path = tmp_path / "o.json"
    options = ["--leaves", "100", "--tasks", "40", "--rounds", "2", "--whole-rounds", "1", "--workers", "1"]
    done = CliRunner().invoke(overhead.main, ["--json", str(path), *options])
    assert done.exit_code == 0, done.output
    document = json.loads(path.read_text())
    assert set(document) == {"summary", "rows", "environment"}
    summary = document["summary"]
    assert {"added_us_per_task", "added_us_per_task_interval", "task_us", "tick_us"} <= set(summary)
    assert set(summary["tick_us"]) == {"5", "50", "500"}
    assert set(summary["one_task_graph_us"]) == {"declared", "rule", "unknown", "off", "scheduler"}
    low, high = summary["added_us_per_task_interval"]
    assert low <= summary["added_us_per_task"] <= high
    assert summary["task_us"] > 0
    assert {r["part"] for r in document["rows"]} == {"pure scheduler", "whole program"}
    assert document["environment"]["links"]["workers"] == 1
    assert "A against A" in done.output
