"""What `asafess` costs while it is off: ``python -m bench.overhead --json FILE``.

Three questions, each with the same three plugins, nothing / an empty `SchedulerPlugin` / asafess's:

1. CPU µs per task in Dask's scheduler alone, without network (`scheduler_cost.py`): ``added_us_per_task`` is
   asafess − empty plugin, the median of paired differences; ``hooks_us_per_task`` is the time inside asafess's hooks.
2. Seconds of a whole program of no-op tasks on a local cluster of worker processes: ``task_us`` per task.
3. CPU µs of one tick, by number of task groups: ``tick_us``.
4. CPU µs of a graph of one task, by what that calls: ``one_task_graph_us`` (`scheduler_cost.one_task_us`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from distributed import Client

import asafess

from .environment import environment
from .harness import Arm, Result, measure, write_json
from .links import local_cluster
from .report import render
from .scheduler_cost import PLUGINS, EmptyPlugin, hooks_us, leaf, one_task_us, race, tick_us
from .scores import AGAIN, Estimate, estimate, paired_differences, values

#: what asafess may add to a task above an empty plugin, CPU µs
BAR_US = 1.0


def end_to_end(client: Client, tasks: int, rounds: int, seed: int = 1, warmup: int = 1) -> Result:
    """Measure `tasks` no-op tasks on a cluster, with each of the plugins installed in turn."""
    done: list[int] = []

    def run() -> dict[str, Any]:
        futures = client.map(leaf, range(tasks), pure=False)
        done.append(sum(result is None for result in client.gather(futures)))
        return {"tasks": tasks}

    def nothing() -> None:
        done.clear()
        asafess.uninstall(client)
        if "empty" in client.run_on_scheduler(_plugin_names):
            client.unregister_scheduler_plugin("empty")

    def empty() -> None:
        nothing()
        client.register_plugin(EmptyPlugin(), name="empty")

    def ours() -> None:
        nothing()
        asafess.install(client)
        asafess.wait(client)

    arms = [Arm("empty", run, empty), Arm("nothing", run, nothing), Arm("asafess", run, ours)]

    def verify(_: object) -> str | None:
        return None if done == [tasks] else f"{done} of {tasks} tasks gave None"

    return measure(arms, rounds, seed, verify, warmup)


def _plugin_names(dask_scheduler: Any) -> list[str]:
    return list(dask_scheduler.plugins)


def _at_most(bar: float, found: Estimate, noise: float) -> str:
    """Say whether a difference held its bar, by the rule of `scores.held`, with A against A in the same unit."""
    if found.high <= bar - noise:
        return "held"
    return "not held" if found.low > bar + noise else "not decided here"


def summarize(
    pure: Sequence[Mapping[str, Any]],
    whole: Result | None,
    ticks: Mapping[str, float],
    hooks: float,
    one_task: Mapping[str, float],
) -> dict[str, Any]:
    """Return the keys of ``summary``, from rows."""
    added = estimate(paired_differences(pure, "asafess", "empty", "cpu_us_per_task"))
    itself = estimate(paired_differences(pure, "empty" + AGAIN, "empty", "cpu_us_per_task"))
    plugin = estimate(paired_differences(pure, "empty", "nothing", "cpu_us_per_task"))
    summary: dict[str, Any] = {
        "added_us_per_task": added.median,
        "added_us_per_task_interval": [added.low, added.high],
        "added_us_per_task_at_most_1": _at_most(BAR_US, added, max(abs(itself.low), abs(itself.high))),
        "a_against_a_us_per_task_interval": [itself.low, itself.high],
        "hooks_us_per_task": hooks,
        "empty_plugin_us_per_task": plugin.median,
        "scheduler_us_per_task": estimate(values(pure, "nothing", "cpu_us_per_task")).median,
        "tick_us": dict(ticks),
        "one_task_graph_us": dict(one_task),
    }
    if whole is not None:
        tasks = whole.rows[0]["tasks"]
        per_task = {name: estimate(values(whole.rows, name)).median * 1e6 / tasks for name in PLUGINS}
        ratio = whole.ratio("asafess", "empty")
        summary["task_us"] = per_task["asafess"]
        summary["task_us_by_plugin"] = per_task
        summary["end_to_end_ratio"] = ratio.as_dict()
    return summary


@click.command(help=__doc__)
@click.option("--json", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write all rows there.")
@click.option("--leaves", default=2_000, show_default=True, help="Leaves of each graph of the pure scheduler.")
@click.option("--tasks", default=20_000, show_default=True, help="No-op tasks of the whole program; 0 leaves it out.")
@click.option("--rounds", default=60, show_default=True, help="Rounds of the pure scheduler.")
@click.option("--whole-rounds", default=5, show_default=True, help="Rounds of the whole program.")
@click.option("--workers", default=4, show_default=True, help="Worker processes, one thread each.")
def main(path: Path | None, leaves: int, tasks: int, rounds: int, whole_rounds: int, workers: int) -> None:
    logging.getLogger("distributed").setLevel(logging.WARNING)
    pure = race(leaves, rounds)
    ticks = {str(groups): tick_us(groups) for groups in (5, 50, 500)}
    hooks, one_task = hooks_us(max(leaves, tasks)), one_task_us()
    whole, links = None, None
    if tasks:
        with local_cluster(workers) as cluster, Client(cluster.address) as client:
            links = cluster.describe()
            whole = end_to_end(client, tasks, whole_rounds)
    summary = summarize(pure, whole, ticks, hooks, one_task)
    where = environment(links)
    tagged = [{**row, "part": "pure scheduler"} for row in pure]
    tagged += [{**row, "part": "whole program"} for row in (whole.rows if whole else [])]
    if path is not None:
        write_json(path, summary, tagged, where)
    if whole is not None:
        click.echo(render({"rows": whole.rows}, against="empty"))
    click.echo(render({"summary": summary, "environment": where}))


if __name__ == "__main__":
    main()
