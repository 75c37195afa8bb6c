"""Does a trace predict the runs that were not made? Records runs on real clusters, with each fixed state beside them.

Two programs per link: *steady* moves and multiplies panels of one matrix, a fifth of its tiles dense; *phases* does
that, multiplies in place, and moves panels without a single zero, and all of it again. Arms, interleaved: *adaptive*,
twice, and each state of tile compression, pinned. Every timed run writes a trace of its own. Then each trace is asked
how long the other states would have taken, and the answer is compared with the runs that were made in these states.

    python -m bench.record --link 1gbit --rounds 5 --json record.json --traces traces

writes the trace of the adaptive run of median length, gzipped and with the measured arms in it, as ``asafess score``
and ``bench.policies`` read them.
"""

from __future__ import annotations

import gzip
import json as json_module
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from distributed import Client

import asafess
from asafess.core.score import RECORDED, scores, steps
from asafess.core.trace import measured_line
from asafess.workloads.placement import Placement

from .demo import FIXED, Job, Program
from .environment import environment, one_line
from .harness import Arm, Outcome, measure, write_json
from .links import allowed, enter, local_cluster, shaped_cluster
from .record_checks import OPTIMIZATION, checks, load, summary
from .report import aligned
from .scores import half_width


@dataclass(frozen=True)
class Phase:
    """A part of a program."""

    #: *sparse*: a fifth of the tiles are dense; *dense*: all are, and no word is zero
    data: str
    placement: Placement
    sweeps: int


SPARSE, DENSE = "sparse", "dense"
PROGRAMS: Mapping[str, Sequence[Phase]] = {
    "steady": [Phase(SPARSE, "stream", 24)],
    "phases": [Phase(SPARSE, "stream", 6), Phase(SPARSE, "resident", 6), Phase(DENSE, "stream", 6)] * 2,
}


class Recorder:
    """Runs the programs on one cluster and writes a trace of each run."""

    def __init__(self, client: Client, scale: int, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.data = {
            SPARSE: Program(client, Job(scale)),
            DENSE: Program(client, Job(scale, dense_share=1.0)),
        }
        self.phases: Sequence[Phase] = ()
        self._runs = 0
        self._bits: dict[Phase, bytes] = {}

    def prepare(self, arm: str) -> None:
        """Set the state, start cold, and begin a trace."""
        self.data[SPARSE].prepare(arm)
        self._runs += 1
        self._probed = self._probe_seconds()
        self.path = self.folder / f"{self._runs}.jsonl"
        asafess.trace(self.client, str(self.path))

    def run(self, arm: str) -> Outcome:
        """Run all phases; returns what each came to."""
        results = []
        for phase in self.phases:
            program = self.data[phase.data]
            program.sweeps = phase.sweeps
            results.append((phase, program.run(arm, phase.placement)))
        return Outcome((arm, results))

    def verify(self, outcome: Outcome) -> Mapping[str, Any] | str:
        """End the trace and check every phase."""
        asafess.trace(self.client, None)
        _, results = outcome.value
        for phase, outcome_of_phase in results:
            program, (_, total) = self.data[phase.data], outcome_of_phase.value
            program.sweeps = phase.sweeps
            if not np.allclose(total, program.expected(), rtol=1e-8, atol=0):
                return f"{phase}: wrong result"
            if self._bits.setdefault(phase, total.tobytes()) != total.tobytes():
                return f"{phase}: the bits differ from those of another state"
        return {"trace": str(self.path), "probe_seconds": self._probe_seconds() - self._probed}

    def _probe_seconds(self) -> float:
        """Return the seconds that all workers have spent on timing forms that are not active."""
        reports = asafess.status(self.client)["reports"].values()
        return float(sum(report.get("probe_seconds", 0.0) for report in reports))


def record(client: Client, scale: int, programs: Sequence[str], rounds: int, seed: int, folder: Path) -> dict[str, Any]:
    """Run programs on a cluster; return by program its rows, checks and half-width of A against A."""
    recorder = Recorder(client, scale, folder)
    found: dict[str, Any] = {}
    for name in programs:
        recorder.phases = PROGRAMS[name]
        arms = [
            Arm(arm, lambda arm=arm: recorder.run(arm), prepare=lambda arm=arm: recorder.prepare(arm))  # type: ignore[misc]
            for arm in ("adaptive", *FIXED)
        ]
        result = measure(arms, rounds, seed, recorder.verify, warmup=1)
        traces = {row["trace"]: load(Path(row["trace"])) for row in result.rows if row["ok"]}
        found[name] = {
            "rows": result.rows,
            "half_width": half_width(result.itself),
            "checks": checks(result.rows, traces),
            "traces": traces,
        }
    return found


def keep(found: Mapping[str, Any], link: str, folder: Path) -> list[Path]:
    """Write the adaptive run of median length of each program as a gzipped trace, with the measured arms in it."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = []
    for name, one in found.items():
        timed = [row for row in one["rows"] if row["ok"] and not row["warmup"]]
        # no single run is more like the others, which is what its prediction is compared with
        adaptive = sorted((row for row in timed if row["arm"] == "adaptive"), key=lambda row: row["seconds"])
        middle = adaptive[len(adaptive) // 2]
        lines = [json_module.loads(line) for line in Path(middle["trace"]).read_text("utf-8").splitlines()]
        for arm, state in FIXED.items():
            lines += [measured_line(OPTIMIZATION, state, row["seconds"]) for row in timed if row["arm"] == arm]
        lines.append(measured_line(OPTIMIZATION, RECORDED, middle["seconds"]))
        path = folder / f"{name}-{link}.jsonl.gz"
        # without the time of writing, so that the same trace is the same file
        with path.open("wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as file:
            file.write("".join(json_module.dumps(line) + "\n" for line in lines).encode())
        kept.append(path)
    return kept


@click.command(help=__doc__)
@click.option("--workers", default=4, show_default=True, type=click.IntRange(2, 64), help="Worker processes.")
@click.option(
    "--link", "links", multiple=True, default=("loopback", "1gbit"), show_default=True, help="loopback, or a rate."
)
@click.option(
    "--program",
    "programs",
    multiple=True,
    default=tuple(PROGRAMS),
    type=click.Choice(tuple(PROGRAMS)),
    help="Left out: all.",
)
@click.option("--scale", default=12, show_default=True, type=click.IntRange(8, 16), help="2^scale rows and columns.")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(min=1), help="Runs of each arm.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0), help="Of the order.")
@click.option("--policy", default="work_function", show_default=True, help="Of the adaptive arm.")
@click.option("--json", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write rows and summary.")
@click.option("--traces", type=click.Path(file_okay=False, path_type=Path), help="Folder for the traces.")
def main(
    workers: int,
    links: tuple[str, ...],
    programs: tuple[str, ...],
    scale: int,
    rounds: int,
    seed: int,
    policy: str,
    json: Path | None,
    traces: Path | None,
) -> None:
    """Record on each link."""
    enter()
    shaped, reason = allowed()
    table, rows = [], []
    where: dict[str, Any] = {}
    for link in links:
        if link != "loopback" and not shaped:
            print(f"Links of {link} can't be shaped here: {reason}")
            continue
        cluster_of = local_cluster(workers) if link == "loopback" else shaped_cluster(workers, rate=link)
        with cluster_of as cluster, Client(cluster.address) as client, tempfile.TemporaryDirectory() as folder:
            where = environment(cluster.describe())
            asafess.install(client, [OPTIMIZATION], policy=policy)
            asafess.wait(client)
            found = record(client, scale, programs, rounds, seed, Path(folder))
            asafess.uninstall(client)
            if traces is not None:
                print(*keep(found, link, traces), sep="\n")
            table += [{"link": link, **row} for row in summary(found)]
            for name, one in found.items():
                rows += [{"link": link, "program": name, **row} for row in one["rows"]]
                say(link, name, one)
    print(aligned(_told(table)))
    timed = [row for row in rows if row["ok"] and not row["warmup"]]
    shares = [row["probe_seconds"] / row["seconds"] / workers for row in timed]
    probing = {
        "share": sum(row["probe_seconds"] for row in timed)
        / workers
        / (sum(row["seconds"] for row in timed) or math.nan),
        "largest_in_a_run": max(shares, default=math.nan),
    }
    print(
        f"timing forms that were not active took {probing['share']:.2%} of the workers' time in all runs, and at most "
        f"{probing['largest_in_a_run']:.2%} in one"
    )
    print(one_line(where))
    if json is not None:
        write_json(json, {"checks": table, "probing": probing}, rows, where | {"scale": scale, "policy": policy})


def say(link: str, name: str, one: Mapping[str, Any]) -> None:
    """Print each arm's seconds, and the score of the first adaptive run."""
    timed = [row for row in one["rows"] if row["ok"] and not row["warmup"]]
    print(f"\n{name} on {link}, seconds, A against A ± {one['half_width']:.1%}")
    for arm in dict.fromkeys(row["arm"] for row in timed):
        print(f"  {arm:15}", *(f"{row['seconds']:.2f}" for row in timed if row["arm"] == arm))
    first = next(row for row in timed if row["arm"] == "adaptive")
    trace = one["traces"][first["trace"]]
    recorded = [
        moment.after[OPTIMIZATION] for moment in trace.moments if moment.assessments[OPTIMIZATION].costs is not None
    ]
    for score in scores(steps(trace, OPTIMIZATION), recorded):
        print(f"  {score.policy:15} {score.cost:.2f} s, {score.ratio:.3f} x the optimum, {score.switches} switches")
    for switch in trace.switches:
        print(f"  {switch.time - trace.entries[0].time:.2f} s {switch.before} -> {switch.after}: {switch.cause}")


def _told(table: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    header = ["link", "program", "trace of", "state", "predicted", "measured", "error", "within 10 % or A against A"]
    return [header] + [
        [
            row["link"],
            row["program"],
            row["trace of"],
            row["state"],
            f"{row['predicted']:.2f}",
            f"{row['measured']:.2f}",
            f"{row['error']:+.1%}",
            "yes" if row["within"] else "no",
        ]
        for row in table
    ]


if __name__ == "__main__":
    main()
