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

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import click
from distributed import Client

import asafess

from .environment import environment, one_line
from .harness import Arm, Outcome, Result, measure, write_json
from .links import local_cluster
from .report import table
from .toggles.case import Phased
from .toggles.graph import Part
from .toggles.queuing import WARM_BLOCKS, WARM_TASKS, WORD, data_part, swarm_part

#: kinds of phases, in their order
KINDS = ("swarm", "data")
FIXED = ("queued", "open")


def parts(tasks: int, blocks: int, words: int) -> list[tuple[str, Part]]:
    """Return a swarm of `tasks`, and `blocks` of `words` that are reduced in pairs."""
    return list(zip(KINDS, (swarm_part(tasks), data_part(blocks, words)), strict=True))


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


def race(client: Client, rounds: int, up_to: int, window: str, program: Phased) -> Result:
    """Measure all arms; before each run a small program lets Dask know what a task of each kind takes and makes."""
    rates: dict[str, float] = {}

    def prepare(arm: str) -> None:
        asafess.install(client, ["queuing"], look_ahead=arm != "reactive", window=window, rates=rates)
        rates.update({name: asafess.wait(client)["rates"][name] for name in ("flop", "memory", "link")})
        program.prepare()
        if arm in FIXED:
            asafess.pin(client, "queuing", arm)

    def run() -> Outcome:
        marks, seconds = program.marks()
        return Outcome([at for at, _ in marks], seconds)

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
    words = int(megabytes * 1e6 / WORD)
    phases, warm = parts(tasks, blocks, words) * pairs, parts(WARM_TASKS, WARM_BLOCKS, words)
    with local_cluster(workers, worker_args=["--memory-limit", memory]) as cluster, Client(cluster.address) as client:
        result = race(client, rounds, up_to or rounds, window, Phased(client, cluster.workers, phases, warm))
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
