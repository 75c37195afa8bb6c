"""What it gains to know the phase that comes next: the width of BLAS on a program whose phases alternate.

One graph, phases in turns: *wide* ones multiply many pairs of small matrices, and want one BLAS thread per task;
*narrow* ones are a chain of large products, and want all cores for the one task that can run. The optimization *width*
of this file sets the number of threads on all workers, one or as many as there are workers; how much longer each kind
of phase takes with the wrong one is measured first.

Arms: each width held fixed; *adaptive*; and *reactive*, the same without look-ahead, which sees a phase only when it
has begun.

    python -m bench.look_ahead --rounds 7 --json look_ahead.json
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np
from dask._task_spec import Task, TaskRef
from distributed import Client

import asafess
from asafess.core.domain import Domain, Hysteresis, axis
from asafess.core.mode import Rates, Sample, total_load

from .environment import environment, one_line
from .harness import Arm, Outcome, measure, write_json
from .links import local_cluster
from .report import table
from .scores import estimate, paired_ratios

asafess.define_axis("serial", "flop that only one task at a time can do")

#: rows of the matrices, and products of a task
WIDE, WIDE_PRODUCTS = 384, 8
NARROW, NARROW_PRODUCTS = 1024, 1


def flop(rows: int, products: int) -> float:
    """Return the floating-point operations of so many products of square matrices."""
    return 2.0 * rows**3 * products


@asafess.task(loads={"compute": flop(WIDE, WIDE_PRODUCTS)}, name="wide")
def wide(before: float, seed: int) -> float:
    """Multiply small matrices."""
    a = np.full((WIDE, WIDE), 1.0 / WIDE)
    for _ in range(WIDE_PRODUCTS):
        a = a @ a
    return float(a[0, 0]) * WIDE + 0 * before + seed


@asafess.task(loads={"compute": flop(NARROW, NARROW_PRODUCTS), "serial": flop(NARROW, NARROW_PRODUCTS)}, name="narrow")
def narrow(*before: float) -> float:
    """Multiply large matrices."""
    a = np.full((NARROW, NARROW), 1.0 / NARROW)
    for _ in range(NARROW_PRODUCTS):
        a = a @ a
    return float(a[0, 0]) * NARROW + 0 * sum(before)


class Width(asafess.Optimization):
    """Sets the number of BLAS threads of each worker.

    Parameters
    ----------
    threads : int
        In the state *all*.
    wide, narrow : float
        How many times as long as with one thread a wide and a narrow phase take in the state *all*.
    """

    name = "width"
    states = ("one", "all")

    def __init__(self, threads: int, wide: float, narrow: float) -> None:
        self.threads, self.wide, self.narrow = threads, wide, narrow

    def domain(self, rates: Rates) -> Domain:
        """Follow the work that only one task can do."""
        return Domain(self.states, [Hysteresis(axis("serial") > 1.0, axis("serial") < 1.0)])

    def costs(self, sample: Sample) -> Mapping[str, float]:
        """Predict seconds of what is scheduled."""
        assert sample.rates is not None
        load = total_load(sample.scheduled)
        serial = load.get("serial", 0.0) / sample.rates.flop
        parallel = load.get("compute", 0.0) / sample.rates.flop / sample.threads - serial / sample.threads
        return {"one": parallel + serial, "all": parallel * self.wide + serial * self.narrow}

    def enter(self, state: str) -> None:
        """Set the width of this process."""
        from threadpoolctl import threadpool_limits

        threadpool_limits(self.threads if state == "all" else 1, "blas")

    def leave(self) -> None:
        """Put back what Dask starts with."""
        self.enter("one")


def graph(phases: int, tasks: int, links: int) -> dict[Any, Task]:
    """Return the program: `phases` pairs of a wide phase of `tasks` tasks and a chain of `links`."""
    made: dict[Any, Task] = {}
    last: Any = 0.0
    for phase in range(phases):
        keys = [(f"wide-{phase}", k) for k in range(tasks)]
        made.update((key, Task(key, wide, last, key[1])) for key in keys)
        before = [TaskRef(key) for key in keys]
        for k in range(links):
            key = (f"narrow-{phase}", k)
            made[key] = Task(key, narrow, *before)
            before = [TaskRef(key)]
        last = before[0]
    return made


def calibrate(client: Client, threads: int, tasks: int, links: int) -> tuple[dict[str, float], Width]:
    """Measure the cluster's rates, and each kind of phase with each width; return the rates and the optimization."""
    asafess.install(client, [Width(threads, 1.0, 1.0)])
    rates = asafess.wait(client)["rates"]
    seconds: dict[tuple[str, str], list[float]] = {}
    for _ in range(4):
        for state in Width.states:
            asafess.pin(client, Width.name, state)
            for kind, part in (("wide", graph(1, tasks, 0)), ("narrow", graph(1, 1, links))):
                start = time.perf_counter()
                client.get(part, list(part)[-1])
                seconds.setdefault((kind, state), []).append(time.perf_counter() - start)
    ratio = {kind: median(seconds[kind, "all"][1:]) / median(seconds[kind, "one"][1:]) for kind in ("wide", "narrow")}
    return rates, Width(threads, **ratio)


def race(client: Client, rounds: int, threads: int, phases: int, tasks: int, links: int) -> dict[str, Any]:
    """Measure all arms; return rows and summary."""
    rates, width = calibrate(client, threads, tasks, links)
    program = graph(phases, tasks, links)
    final = list(program)[-1]

    def prepare(arm: str) -> None:
        asafess.install(client, [width], rates=rates, look_ahead=arm != "reactive")
        asafess.wait(client)
        if arm in width.states:
            asafess.pin(client, width.name, arm)

    def run() -> Outcome:
        return Outcome(client.get(program, final))

    def verify(outcome: Outcome) -> Mapping[str, Any] | str:
        if outcome.value != 1.0:
            return f"the result is {outcome.value}, not 1.0"
        return {"switches": len(asafess.status(client)["switches"])}

    arms = [
        Arm(name, run, prepare=lambda name=name: prepare(name))  # type: ignore[misc]
        for name in ("adaptive", "reactive", *width.states)
    ]
    result = measure(arms, rounds, verify=verify, warmup=1)
    asafess.uninstall(client)
    summary: dict[str, Any] = {"all_vs_one_wide": width.wide, "all_vs_one_narrow": width.narrow}
    for arm in ("reactive", *width.states):
        one = estimate(paired_ratios(result.rows, arm, "adaptive"))
        summary[f"{arm}_vs_adaptive"] = {"median": one.median, "low": one.low, "high": one.high}
    return {"rows": result.rows, "summary": summary}


@click.command(help=__doc__)
@click.option("--workers", default=os.cpu_count(), show_default=True, type=click.IntRange(2), help="Of one thread.")
@click.option("--rounds", default=7, show_default=True, type=click.IntRange(min=1), help="Runs of each arm.")
@click.option("--phases", default=4, show_default=True, type=click.IntRange(1, 50), help="Pairs of phases.")
@click.option(
    "--tasks", default=32, show_default=True, type=click.IntRange(1, 10_000), help="Of a wide phase and worker."
)
@click.option("--links", default=10, show_default=True, type=click.IntRange(1, 1000), help="Of a narrow phase.")
@click.option("--json", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write rows and summary.")
def main(workers: int, rounds: int, phases: int, tasks: int, links: int, json: Path | None) -> None:
    """Measure on workers of one thread."""
    with local_cluster(workers) as cluster, Client(cluster.address) as client:
        found = race(client, rounds, workers, phases, tasks * workers, links)
        where = environment(cluster.describe())
    ratios = (found["summary"][f"all_vs_one_{kind}"] for kind in ("wide", "narrow"))
    print("with all threads a wide phase takes {:.2f} × and a narrow one {:.2f} × as long".format(*ratios))
    print(table(found["rows"], against="adaptive", columns=["switches"]))
    print(one_line(where))
    if json is not None:
        write_json(json, found["summary"], found["rows"], where | {"phases": phases, "tasks": tasks, "chain": links})


if __name__ == "__main__":
    main()
