"""The main job: one matrix, one cluster, five ways to multiply, and what `asafess` did about it: ``asafess demo``.

A block product with fresh transfers in each sweep (*stream*): panels live on the workers that made them and
move to the worker that multiplies. Arms: *dense* (our panels, compression off), *sparse* (SciPy CSR panels
made before the clock, sent by stock Dask), *light* and *full* (our two compressed states, fixed) and
*adaptive*. Every timed adaptive run starts cold: nothing is known of tasks or data.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from distributed import Client

import asafess
from asafess.workloads.block_spmv import product
from asafess.workloads.graph500 import matrix
from asafess.workloads.graph500_edges import Order
from asafess.workloads.graph500_matrix import Values
from asafess.workloads.placement import Placement, drop_replicas, place, targets, worker_addresses

from . import figures
from .demo_report import save, show
from .demo_story import story
from .environment import environment
from .harness import Arm, Outcome, Result, measure
from .links import Cluster, local_cluster
from .scores import held

#: fixed states of ours, by arm
FIXED = {"dense": "off", "light": "light", "full": "full"}
#: seconds that a timed adaptive run lasts at least
SHORTEST_RUN = 1.0


@dataclass(frozen=True)
class Job:
    """What is measured."""

    scale: int = 11
    tile: int = 128
    dense_share: float = 0.2
    order: Order = "recursive"
    values: Values = "analytic"
    #: sweeps in one timed run; None: as many as make an adaptive run last a second
    iterations: int | None = None
    seed: int = 1
    rounds: int = 5


class Program:
    """The block product on one cluster, in any arm."""

    #: state that an arm is pinned to; those left out adapt
    states: Mapping[str, str] = {**FIXED, "sparse": "off"}
    #: form of an arm's panels, where it is not dense
    forms: Mapping[str, str] = {"sparse": "csr"}

    def __init__(self, client: Client, job: Job) -> None:
        self.client = client
        self.job = job
        self.workers = worker_addresses(client)
        self.matrix = matrix(
            job.scale,
            order=job.order,
            tile=job.tile,
            dense_share=job.dense_share,
            dense_seed=job.seed,
            values=job.values,
        )
        # Dask's memory manager drops the copy that it likes, also the one at home; we drop those that moved
        client.amm.stop()
        self.panels = {form: place(client, self.matrix, form) for form in ("dense", "csr")}
        self.sweeps = job.iterations or 1
        self._bits: bytes | None = None
        self._before: dict[str, Any] = {}
        self._span = (0.0, 0.0)
        self.last_status: dict[str, Any] = {}

    def prepare(self, arm: str) -> None:
        """Set the arm's state, forget everything, and remember the counters."""
        if arm in self.states:
            asafess.pin(self.client, "tile_compression", self.states[arm])
        else:
            asafess.auto(self.client, "tile_compression")
        asafess.reset(self.client)
        self._before = figures.read(self.client)

    def run(self, arm: str, placement: Placement = "stream") -> Outcome:
        """Multiply: `sweeps` products with x_k = (k + 1)(j + 1), added up."""
        panels = self.panels[self.forms.get(arm, "dense")]
        total = np.zeros(self.matrix.shape[0])
        began = time.time()
        for sweep in range(self.sweeps):
            where = targets(len(panels), self.workers, sweep, placement)
            total += self.client.compute(product(panels, self.matrix.vector(sweep), where)).result()
            if placement == "stream":
                # a worker keeps what it fetched, and the next sweep would move nothing
                drop_replicas(self.client, panels)
        self._span = (began, time.time())
        return Outcome((arm, total))

    def verify(self, outcome: Outcome) -> Mapping[str, Any] | str:
        """Check the sum against its closed form, and the bits of our arms against each other."""
        arm, total = outcome.value
        expected = self.expected()
        error = float(np.max(np.abs(total - expected), initial=0.0))
        if not np.allclose(total, expected, rtol=1e-8, atol=0):
            return f"wrong result: off by {error:g}"
        if arm != "sparse":
            bits = total.tobytes()
            if self._bits not in (None, bits):
                return "the bits differ from those of another state"
            self._bits = bits
        status = asafess.status(self.client)
        self.last_status = status
        switches = status["switches"] if arm == "adaptive" else []
        return {
            **figures.since(self._before, figures.read(self.client), self._span),
            "max_abs_error": error,
            "switches": len([s for s in switches if s["cause"] != "reset"]),
        }

    def expected(self) -> np.ndarray:
        """Return what a run must come to."""
        return self.matrix.expected(self.sweeps - 1)

    def calibrate(self) -> None:
        """Warm up, and choose the number of sweeps."""
        for arm in (*FIXED, "sparse", "adaptive"):
            self.prepare(arm)
            self.run(arm)
        if self.job.iterations is None:
            self.prepare("adaptive")
            self.sweeps = 3
            start = time.perf_counter()
            self.run("adaptive")
            seconds = (time.perf_counter() - start) / self.sweeps
            self.sweeps = max(2, math.ceil(1.02 * SHORTEST_RUN / seconds))
        self._bits = None


@contextmanager
def program(cluster: Cluster, job: Job, say: Callable[[str], object]) -> Iterator[Program]:
    """Connect, install, and make the matrix."""
    with Client(cluster.address) as client:
        asafess.install(client, ["tile_compression"])
        rates = asafess.wait(client)["rates"]
        say(
            f"{len(cluster.workers)} workers; link {rates['link'] / 1e6:.0f} MB/s per worker, memory "
            f"{rates['memory'] / 1e9:.1f} GB/s and {rates['flop'] / 1e9:.1f} Gflop/s per thread"
        )
        at = asafess.status(client)["thresholds"]["tile_compression"]
        say(
            f"thresholds from these rates: light below a ratio of {at['alpha']:.2f} (off above {at['beta']:.2f}), full "
            f"below {at['alpha_full']:.2f} (light above {at['beta_full']:.2f}), with over {at['zeros_on']:.0%} zeros"
        )
        try:
            yield Program(client, job)
        finally:
            asafess.uninstall(client)


def demo(cluster: Cluster, job: Job, say: Callable[[str], object] = print) -> dict[str, Any]:
    """Measure all arms on a cluster; return summary, rows, environment and events.

    Parameters
    ----------
    cluster : Cluster
        From `bench.links`.
    job : Job
        What to measure.
    say : callable
        Takes a line of text for the person who watches.
    """
    with program(cluster, job, say) as running:
        running.calibrate()
        tiles = math.ceil(running.matrix.shape[0] / job.tile) ** 2
        say(
            f"scale {job.scale}: {running.matrix.shape[0]} × {running.matrix.shape[1]}, {running.matrix.nnz} "
            f"non-zeros, {tiles} tiles of {job.tile} × {job.tile}, {len(running.panels['dense'])} panels, "
            f"{running.sweeps} sweeps per run, {job.rounds} rounds"
        )

        def progress(row: Mapping[str, Any]) -> None:
            mode, states = running.last_status["mode"], running.last_status["states"]
            ratio = f"ratio {mode['ratio']:.3g}" if "ratio" in mode else "no mode yet"
            zeros = f", zeros {mode['zeros']:.2f}" if "zeros" in mode else ""
            seconds = "failed " if row["seconds"] is None else f"{row['seconds']:.2f} s"
            say(
                f"  round {row['round'] + 1} of {job.rounds}  {row['arm']:<15} {seconds}  "
                f"mode: {ratio}{zeros}  state: {states['tile_compression']}"
            )

        arms = [
            Arm(name, lambda name=name: running.run(name), prepare=lambda name=name: running.prepare(name))  # type: ignore[misc]
            for name in ("adaptive", "dense", "sparse", "light", "full")
        ]
        result = measure(arms, job.rounds, job.seed, running.verify, warmup=0, on_progress=progress)
        phases, events = story(running)
    return {
        "summary": summary(result) | {"phases": phases},
        "rows": result.rows,
        "environment": environment(cluster.describe()) | {"job": job.__dict__ | {"iterations": running.sweeps}},
        "events": events,
    }


def summary(result: Result) -> dict[str, Any]:
    """Return the numbers that matter, from the rows."""
    rows = result.rows
    ours = {arm: result.ratio(arm) for arm in FIXED}
    best = min(ours, key=lambda arm: ours[arm].median)
    sparse = result.ratio("sparse")
    errors = [row["max_abs_error"] for row in rows if row.get("max_abs_error") is not None]
    moved = {
        arm: float(np.median([row["bytes_moved"] for row in rows if row["arm"] == arm and row["ok"]] or [math.nan]))
        for arm in (*FIXED, "sparse", "adaptive")
    }
    return {
        "speedup_vs_dense": ours["dense"].median,
        "speedup_vs_sparse": sparse.median,
        "speedup_vs_best_fixed": ours[best].median,
        "best_fixed": best,
        "a_against_a_half_width": result.half_width,
        "at_most_3_percent_behind_best_fixed": held(ours[best], 0.97, result.half_width, "at least"),
        "max_abs_error": max(errors, default=math.nan),
        "switches": max((row.get("switches") or 0 for row in rows if row["arm"].startswith("adaptive")), default=0),
        "bytes_moved": moved,
    }


def run(job: Job, workers: int = 4, json: str | None = None, plot: str | None = None) -> dict[str, Any]:
    """Run the demo on a local cluster of worker processes; what ``asafess demo`` does."""
    with local_cluster(workers) as cluster:
        document = demo(cluster, job)
    show(document)
    save(document, json, plot)
    return document
