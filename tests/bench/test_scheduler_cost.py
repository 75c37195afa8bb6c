import pytest
from asafess.bench import scheduler_cost
from asafess.bench.pure_scheduler import PureScheduler, fan_in_graph
from asafess.bench.scheduler_cost import asafess_plugin, hooks_us, join, leaf, one_task_us, race, tick_us


def test_each_plugin_has_one_good_row_per_round_with_a_cost_and_the_empty_one_has_two():
    rows = race(leaves=200, rounds=2)
    counted = [r for r in rows if not r["warmup"]]
    assert sorted(r["arm"] for r in counted) == sorted(["asafess", "empty", "empty again", "nothing"] * 2)
    assert all(r["ok"] and 1 < r["cpu_us_per_task"] < 10_000 for r in counted)


def test_a_plugin_that_failed_makes_failed_rows(monkeypatch):
    def broken():
        plugin = asafess_plugin()
        monkeypatch.setattr(plugin.loads, "submitted", lambda *_: 1 / 0)
        return plugin

    monkeypatch.setattr(scheduler_cost, "PLUGINS", {**scheduler_cost.PLUGINS, "asafess": broken})
    found = {r["arm"]: r["error"] for r in race(leaves=50, rounds=1)}
    assert "ZeroDivisionError" in found.pop("asafess")
    assert set(found.values()) == {None}


def test_the_measured_plugin_takes_samples_and_stays_off():
    plugin = asafess_plugin()
    pure = PureScheduler(plugin)
    graph = fan_in_graph(leaf, join, 100)
    list(pure.run(graph, list(graph), 1000, plugin.tick))
    pure.close()
    assert plugin.controller.counters["used"] >= 1
    assert not plugin.journal.switches
    assert plugin.fault is None


def test_a_tick_sees_all_groups_and_costs_something():
    assert 1 < tick_us(5, batches=3) < 10_000


def test_a_tick_that_fails_is_an_error_and_no_number(monkeypatch):
    monkeypatch.setattr(scheduler_cost, "RATES", "no rates")
    with pytest.raises(RuntimeError, match="failed while it was measured"):
        tick_us(2, batches=1)


def test_time_inside_the_hooks_is_less_than_that_of_the_whole_scheduler():
    assert 0 < hooks_us(200) < 1000


def test_a_graph_of_one_task_costs_something_whatever_it_calls():
    found = one_task_us(graphs=20)
    assert set(found) == {"declared", "rule", "unknown", "off", "scheduler"}
    assert all(0 < us < 10_000 for us in found.values())
