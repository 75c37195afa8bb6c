"""What it gains to know the phase that comes next: queuing of root tasks on a program whose phases alternate.

One graph, two kinds of phases in turns, a barrier after each. A *swarm* of tiny root tasks wants the scheduler's queue
open: queued, each waits for a round trip. *Data-heavy* root tasks, reduced in pairs, want it closed: all sent at once,
they fill the workers' memory before anything is reduced. What has been sent is not called back, so a decision after a
phase has begun is too late for most of it.

Arms: each state of `queuing` held fixed; *adaptive*; and *reactive*, the same without look-ahead. Barriers tell the
time, so how long each kind of phase takes in each arm is known from the same runs. The *bound* is the better fixed arm
÷ the sum over kinds of the best: no switching between the two states can gain more. *opened* and *closed* say when the
queue was, in seconds after the phase that wants it so has begun: below 0 the switch was made before.

The window is shorter than usual because the phases are: one is looked ahead to when it takes at least half a window.

    python -m bench.look_ahead --rounds 7 --json look_ahead.json
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np
from dask._task_spec import Task, TaskRef
from distributed import Client

import asafess

from .environment import environment, one_line
from .harness import Arm, Outcome, Result, measure, write_json
from .links import local_cluster
from .report import table

#: bytes of a word
WORD = 8
#: of the program that is run before each run
WARM = {"tasks": 200, "blocks": 12}
#: kinds of phases
KINDS = ("swarm", "data")
FIXED = ("queued", "open")


@asafess.task(loads={"compute": 1e3}, name="swarm")
def swarm(before: Sequence[float], k: int) -> int:
    """Do next to nothing."""
    return k


@asafess.task(loads={"memory": 1e6}, name="data")
def data(before: Sequence[float], k: int, words: int) -> np.ndarray:
    """Make a block."""
    return np.full(words, float(k))


@asafess.task(per_byte={"memory": 1.0}, name="pair")
def pair(a: np.ndarray, b: np.ndarray) -> float:
    """Reduce two blocks."""
    return float(np.maximum(a, b).max())


def barrier(before: Sequence[float], *results: float) -> list[float]:
    """Wait for a phase; return the times of all barriers so far, in seconds."""
    return [*before, time.monotonic()]


def graph(pairs: int, tasks: int, blocks: int, words: int) -> dict[Any, Task]:
    """Return the program: `pairs` times a swarm of `tasks`, and `blocks` of `words` that are reduced; last key last.

    >>> import dask
    >>> len(dask.get(graph(2, 8, 8, 10), ("paired-1", 0)))
    5
    """
    made: dict[Any, Task] = {("start-0", 0): Task(("start-0", 0), barrier, [])}
    last = TaskRef(("start-0", 0))

    def end(name: str, keys: Sequence[Any]) -> TaskRef:
        made[name, 0] = Task((name, 0), barrier, last, *map(TaskRef, keys))
        return TaskRef((name, 0))

    for phase in range(pairs):
        keys = [(f"swarm-{phase}", k) for k in range(tasks)]
        made.update((key, Task(key, swarm, last, key[1])) for key in keys)
        last = end(f"swarmed-{phase}", keys)
        keys = [(f"data-{phase}", k) for k in range(blocks)]
        made.update((key, Task(key, data, last, key[1], words)) for key in keys)
        halves = [(f"pair-{phase}", k) for k in range(blocks // 2)]
        made.update((key, Task(key, pair, *map(TaskRef, keys[2 * key[1] : 2 * key[1] + 2]))) for key in halves)
        last = end(f"paired-{phase}", halves)
    return made


def delay(times: Sequence[float], switches: Sequence[float], first: int) -> float | None:
    """Return how long after the beginning of a phase of a kind a switch was made, in seconds; the mean of those made.

    Parameters
    ----------
    times : sequence of float
        Of the barriers.
    switches : sequence of float
        When the queue was opened (closed).
    first : int
        Index of the barrier before the first such phase that does not come with the graph.

    >>> times = [0.0, 1.0, 3.0, 4.0, 7.0]
    >>> delay(times, [0.1, 2.75], first=2), delay(times, [0.5, 4.25], first=1)
    (-0.25, -0.125)
    """
    found = [
        at - times[start]
        for start in range(first, len(times) - 1, 2)
        for at in switches
        if times[start - 1] < at < times[start + 1]
    ]
    return sum(found) / len(found) if found else None


def phase_seconds(times: Sequence[float]) -> dict[str, float]:
    """Return the seconds of all phases of each kind, from the times of the barriers.

    >>> phase_seconds([0.0, 1.0, 3.0, 4.0, 7.0])
    {'swarm': 2.0, 'data': 5.0}
    """
    between = np.diff(times)
    return {kind: float(between[k::2].sum()) for k, kind in enumerate(KINDS)}


def summarize(result: Result) -> dict[str, Any]:
    """Return medians by arm and kind, ratios to adaptive, the bound, and what A against A says."""
    found: dict[str, Any] = {}
    rows = [row for row in result.rows if row["ok"] and not row["warmup"]]
    for kind, name in zip(KINDS, ("opened", "closed"), strict=True):
        for arm in (*FIXED, "adaptive", "reactive"):
            found[f"{arm}_{kind}_seconds"] = median(row[kind] for row in rows if row["arm"] == arm)
        for arm in ("adaptive", "reactive"):
            delays = [row[name] for row in rows if row["arm"] == arm and row[name] is not None]
            found[f"{arm}_{name}_seconds"] = median(delays) if delays else None
    fixed = {arm: sum(found[f"{arm}_{kind}_seconds"] for kind in KINDS) for arm in FIXED}
    best = sum(min(found[f"{arm}_{kind}_seconds"] for arm in FIXED) for kind in KINDS)
    found["bound"] = min(fixed.values()) / best
    for arm in ("reactive", *FIXED):
        one = result.ratio(arm, "adaptive")
        found[f"{arm}_over_adaptive"] = {"median": one.median, "low": one.low, "high": one.high}
    found["better_fixed"] = min(fixed, key=lambda arm: fixed[arm])
    found["against_itself"] = result.half_width
    return found


def race(client: Client, rounds: int, up_to: int, window: str, program: dict[Any, Task]) -> Result:
    """Measure all arms; before each run a small program lets Dask know what a task of each kind takes and makes."""
    words = program["data-0", 0].args[2]
    warm = graph(1, WARM["tasks"], WARM["blocks"], words)
    rates: dict[str, float] = {}

    def prepare(arm: str) -> None:
        asafess.install(client, ["queuing"], look_ahead=arm != "reactive", window=window, rates=rates)
        rates.update({name: asafess.wait(client)["rates"][name] for name in ("flop", "memory", "link")})
        client.get(warm, list(warm)[-1])
        if arm in FIXED:
            asafess.pin(client, "queuing", arm)

    def run() -> Outcome:
        times = client.get(program, list(program)[-1])
        return Outcome(times, phase_seconds(times))

    def verify(outcome: Outcome) -> Mapping[str, Any] | str:
        status = asafess.status(client)
        at = {state: [one["time"] for one in status["switches"] if one["after"] == state] for state in FIXED}
        times = outcome.value
        return status["fault"] or {"opened": delay(times, at["open"], 2), "closed": delay(times, at["queued"], 1)}

    arms = [Arm(name, run, prepare=partial(prepare, name)) for name in ("adaptive", "reactive", *FIXED)]
    result = measure(arms, rounds, verify=verify, warmup=0, up_to=up_to)
    asafess.uninstall(client)
    return result


@click.command(help=__doc__)
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1), help="Of one thread.")
@click.option("--memory", default="1GB", show_default=True, help="Limit of each worker; beyond 60 % of it it spills.")
@click.option("--rounds", default=7, show_default=True, type=click.IntRange(min=1), help="Runs of each arm.")
@click.option("--up-to", default=None, type=click.IntRange(min=1), help="Most rounds, while A against A is too wide.")
@click.option("--pairs", default=2, show_default=True, type=click.IntRange(1, 50), help="Pairs of phases.")
@click.option("--window", default="500ms", show_default=True, help="Over which the mode is averaged.")
@click.option("--tasks", default=900, show_default=True, type=click.IntRange(8, 100_000), help="Of a swarm.")
@click.option("--blocks", default=96, show_default=True, type=click.IntRange(8, 10_000), help="Of a data-heavy phase.")
@click.option("--megabytes", default=24.0, show_default=True, type=click.FloatRange(0.001), help="Of a block.")
@click.option("--json", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write rows and summary.")
def main(
    workers: int,
    memory: str,
    rounds: int,
    up_to: int | None,
    pairs: int,
    window: str,
    tasks: int,
    blocks: int,
    megabytes: float,
    json: Path | None,
) -> None:
    """Measure on workers of one thread."""
    program = graph(pairs, tasks, blocks, int(megabytes * 1e6 / WORD))
    with local_cluster(workers, worker_args=["--memory-limit", memory]) as cluster, Client(cluster.address) as client:
        result = race(client, rounds, up_to or rounds, window, program)
        where = environment(cluster.describe())
    found = summarize(result)
    print(table(result.rows, against="adaptive", columns=[*KINDS, "opened", "closed"]))
    print(f"bound {found['bound']:.2f}; A against A ±{found['against_itself']:.0%}")
    print(one_line(where))
    if json is not None:
        sizes = {"pairs": pairs, "tasks": tasks, "blocks": blocks, "megabytes": megabytes}
        write_json(json, found, result.rows, where | sizes | {"memory": memory, "window": window})


if __name__ == "__main__":
    main()
