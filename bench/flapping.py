"""Whether a steady program stays in one state, and whether an optimization moves the signal that drives it.

A program that never changes runs on a real cluster for a while: with every optimization pinned *off*, pinned to its
highest state, and under each policy. Printed: switches under each policy, and the windowed mode vector with the
optimizations on beside the one with them off.

Then five minutes of samples are replayed through the real controller: on each tick it gets the next sample that was
recorded in the state that it is in, so whatever the state does to the signal comes back to the controller.

    python -m bench.flapping --seconds 60 --json flapping.json
"""

from __future__ import annotations

import json as json_module
import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import cycle, pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import click
from distributed import Client

import asafess
from asafess.core.controller import Controller
from asafess.core.instruction import Publish
from asafess.core.policies import POLICIES
from asafess.core.trace_reader import sample_of
from asafess.optimizations.base import Optimization
from asafess.optimizations.registry import BUILT_IN, make

from .demo import Job, Program
from .environment import environment, one_line
from .harness import write_json
from .links import allowed, enter, local_cluster, shaped_cluster

#: seconds of samples that are replayed
REPLAYED = 300.0
#: components of the mode vector that thresholds are about
COMPONENTS = ("ratio", "zeros")
OFF, ON = "off", "on"
#: pinned together. What tile compression has done changes what the others that look at bytes find: each by itself
TOGETHER = tuple(
    name for name in BUILT_IN if name not in ("wire_compression", "spill_compression", "reduced_precision")
)


def record(
    client: Client,
    program: Program,
    seconds: float,
    folder: Path,
    arm: str,
    policy: str,
    rates: Mapping[str, float],
    names: Sequence[str],
) -> list[dict[str, Any]]:
    """Run the program in one arm; return the lines of its moments and switches."""
    asafess.install(client, list(names), policy=policy, rates=dict(rates))
    asafess.wait(client)
    for one in make(names):
        if arm == OFF:
            asafess.pin(client, one.name, one.states[0])
        elif arm == ON:
            asafess.pin(client, one.name, one.states[-1])
    program.run(arm)  # to fill the caches of everything, outside the trace
    path = folder / f"{arm}-{policy}.jsonl"
    asafess.trace(client, str(path))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        program.run(arm)
    asafess.trace(client, None)
    with path.open(encoding="utf-8") as lines:
        return [line for line in map(json_module.loads, lines) if line["kind"] in ("moment", "switch")]


def moments(lines: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the lines of moments."""
    return [line for line in lines if line["kind"] == "moment"]


def spread(lines: Sequence[Mapping[str, Any]], component: str) -> list[float]:
    """Return the 5 %, 50 % and 95 % quantiles of a component of the windowed mode vector."""
    found = [line["vector"].get(component) for line in moments(lines)]
    known = [math.inf if one is None else one for one in found]
    cuts = quantiles(known, n=20)
    return [cuts[0], median(known), cuts[-1]]


def replayed(optimization: Optimization, policy: str, runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> int:
    """Return the switches of one optimization in five minutes of samples, each from a run in the state it is in.

    `runs` are the moments of the runs that were pinned *off* and *on*. It begins in the state that the rates imply,
    as on a cluster; that start is no switch of this program.
    """
    controller = Controller([optimization.declaration()], name="replay", policy=policy)
    samples: dict[str, Any] = {}
    for arm, lines in runs.items():
        recorded = [sample_of(line["sample"]) for line in lines]
        pauses = [b.time - a.time for a, b in pairwise(recorded)]
        samples[arm] = cycle(list(zip(recorded, [*pauses, 0.05], strict=True)))
        assert recorded[0].rates is not None
        controller.start(0.0, recorded[0].rates)
    now = switches = 0
    while now < REPLAYED:
        arm = OFF if controller.state.states[optimization.name] == optimization.states[0] else ON
        sample, pause = next(samples[arm])
        instructions = controller.observe(replace(sample, time=now))
        switches += sum(len(one.switches) for one in instructions if isinstance(one, Publish))
        now += pause
    return switches


def measure(
    client: Client, scale: int, seconds: float, folder: Path, say: Any = print, names: Sequence[str] = TOGETHER
) -> dict[str, Any]:
    """Run everything on a cluster; return the summary."""
    asafess.install(client, list(names))
    # the same for all runs: the ratio is in units of them
    rates = asafess.wait(client)["rates"]
    program = Program(client, Job(scale))
    program.sweeps = 2
    lines = {arm: record(client, program, seconds / 2, folder, arm, POLICIES[0], rates, names) for arm in (OFF, ON)}
    again = record(client, program, seconds / 2, folder, OFF, POLICIES[0], rates, names)
    vectors = {
        component: {
            OFF: spread(lines[OFF], component),
            ON: spread(lines[ON], component),
            "off again": spread(again, component),
        }
        for component in COMPONENTS
    }
    for component, found in vectors.items():
        for arm, (low, middle, high) in found.items():
            say(f"{component:6} with all {arm:10} median {middle:.4g} (5 % to 95 %: {low:.4g} to {high:.4g})")
    switches: list[dict[str, Any]] = []
    for policy in POLICIES:
        run = record(client, program, seconds, folder, "adaptive", policy, rates, names)
        for one in make(names):
            made = [line for line in run if line["kind"] == "switch" and line["optimization"] == one.name]
            row = {
                "optimization": one.name,
                "policy": policy,
                "steady_switches": len(made),
                "replayed_switches": replayed(one, policy, {arm: moments(lines[arm]) for arm in (OFF, ON)}),
                "states": sorted({line["of"][one.name]["after"] for line in moments(run)}),
            }
            switches.append(row)
            say(
                f"{one.name:17} {policy:13} {row['steady_switches']} switches in {seconds:g} s of a steady program, "
                f"{row['replayed_switches']} in {REPLAYED:g} s of replayed samples"
            )
    asafess.uninstall(client)
    return {
        "vectors": vectors,
        "switches": switches,
        "at_most_one": all(max(r["steady_switches"], r["replayed_switches"]) <= 1 for r in switches),
    }


@click.command(help=__doc__)
@click.option("--workers", default=4, show_default=True, type=click.IntRange(2, 64), help="Worker processes.")
@click.option(
    "--link", "links", multiple=True, default=("loopback", "1gbit"), show_default=True, help="loopback, or a rate."
)
@click.option("--scale", default=11, show_default=True, type=click.IntRange(8, 16), help="2^scale rows and columns.")
@click.option(
    "--seconds", default=60.0, show_default=True, type=click.FloatRange(1), help="Of the steady program, per policy."
)
@click.option(
    "--optimization",
    "names",
    multiple=True,
    default=TOGETHER,
    show_default=True,
    type=click.Choice(list(BUILT_IN)),
    help="Those that are installed together.",
)
@click.option("--json", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write rows and summary.")
def main(
    workers: int, links: tuple[str, ...], scale: int, seconds: float, names: tuple[str, ...], json: Path | None
) -> None:
    """Measure on each link."""
    enter()
    shaped, reason = allowed()
    summary: dict[str, Any] = {}
    rows: list[dict[str, Any]] = []
    where: dict[str, Any] = {}
    for link in links:
        if link != "loopback" and not shaped:
            print(f"Links of {link} can't be shaped here: {reason}")
            continue
        print(f"\n{link}")
        cluster_of = local_cluster(workers) if link == "loopback" else shaped_cluster(workers, rate=link)
        with cluster_of as cluster, Client(cluster.address) as client, tempfile.TemporaryDirectory() as folder:
            where = environment(cluster.describe())
            summary[link] = measure(client, scale, seconds, Path(folder), names=names)
            rows += [{"link": link, **row} for row in summary[link]["switches"]]
    print(one_line(where))
    if json is not None:
        write_json(json, summary, rows, where | {"scale": scale, "seconds": seconds})


if __name__ == "__main__":
    main()
