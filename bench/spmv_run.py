"""One run of `bench.spmv`: clusters are started, configurations measured, and the file written after each.

Not covered here: which configurations there are (`spmv_cases.py`), and how one is measured (`spmv_cluster.py`).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from distributed import Client

from . import spmv_stock as stock
from .environment import environment, versions
from .harness import write_json
from .links import Cluster, local_cluster, shaped_cluster
from .namespaces import bits_per_second
from .spmv_cases import Case
from .spmv_cluster import Installed, Ours, Runs, calibrate, measured
from .spmv_local import Local
from .spmv_summary import summarize

#: what part (a) is called among the configurations
SHARED_MEMORY = "shared-memory"
#: memory needed, in dense matrices: the panels, the copies on their way, and the other forms
COPIES = 4
#: a link whose workers reach less than this share of its rate is not what limits them
ENOUGH = 0.6
#: shown as soon as a configuration is measured
REFERENCES = ("dense", "sparse", "best_fixed", "oracle", "best_peer", "best_local_peer")
PACKAGES = ("sparse", "lz4", "zstandard", "python-graphblas", "suitesparse-graphblas", "sparse-dot-mkl", "mkl")


@dataclass
class Plan:
    """What is to be measured, and how well."""

    base: Case
    #: all configurations that will be measured, those of a link together
    cases: Sequence[Case]
    #: keys of those where stock Dask runs too
    with_peers: Sequence[str]
    #: part (a) too
    shared_memory: bool
    rounds: int = 5
    #: seconds that a timed run lasts at least
    shortest: float = 0.6
    seed: int = 1
    workers: int = 4


@dataclass
class Bench:
    """Rows and what goes around them."""

    json: Path
    plan: Plan
    say: Callable[[str], object]
    rows: list[dict[str, Any]] = field(default_factory=list)
    #: part (a): {"rows", "summary"}
    shared: Mapping[str, Any] = field(default_factory=lambda: {"rows": [], "summary": {}})
    #: configuration or link → why it is left out
    skipped: dict[str, str] = field(default_factory=dict)
    #: link → what its workers reach, where that is far from its rate
    limited: dict[str, str] = field(default_factory=dict)
    #: link → bytes/s per worker, as asafess has measured it
    speeds: dict[str, float] = field(default_factory=dict)
    #: configuration → what went wrong
    broken: dict[str, str] = field(default_factory=dict)
    links: dict[str, Any] = field(default_factory=dict)
    #: configuration → non-zeros below which the oracle stores a tile sparse
    oracle: dict[str, int] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the measurement as far as it is known."""
        own = {
            "link_bytes_per_second": self.speeds,
            "oracle_threshold": self.oracle,
            "skipped": self.skipped,
            "limited_by_cpu": self.limited,
            "broken": self.broken,
        }
        plan = self.plan
        about = {
            # without the names of files, which belong to one machine
            "command": " ".join(["python -m bench.spmv", *(Path(word).name for word in sys.argv[1:])]),
            "base": plan.base.key,
            "rounds": plan.rounds,
            "shortest_run": plan.shortest,
            "peers": versions(PACKAGES),
        }
        return {
            "summary": {**summarize(self.rows), "shared_memory": self.shared["summary"], **own},
            "rows": [*self.shared["rows"], *self.rows],
            "environment": environment(self.links) | about,
        }

    def save(self) -> None:
        """Write the file."""
        document = self.document()
        write_json(self.json, document["summary"], document["rows"], document["environment"])

    def run(self) -> None:
        """Measure everything that is planned."""
        if self.plan.shared_memory:
            self._shared_memory()
        for link in dict.fromkeys(case.link for case in self.plan.cases):
            self.say(f"\n==== {self.plan.workers} workers, {link} ====")
            here = [case for case in self.plan.cases if case.link == link]
            beside = [case for case in here if case.key in self.plan.with_peers]
            with self._cluster(link) as cluster, Client(cluster.address) as client:
                self.links[link] = cluster.describe()
                installed = Installed(client, self.say)
                if beside:
                    with stock.started(client, partial(self._cluster, link), self.say) as clusters:
                        for case in beside:
                            self._one(installed, case, clusters)
                for case in here:
                    if case not in beside:
                        self._one(installed, case, stock.Clusters())

    def _shared_memory(self) -> None:
        from .spmv_threads import shared_memory

        plan = self.plan
        found = shared_memory(plan.base.job(plan.seed), plan.rounds, plan.seed, self.say)
        rows = [{"configuration": SHARED_MEMORY, **row} for row in found["rows"]]
        self.shared = {"rows": rows, "summary": found["summary"]}
        self.save()

    @contextmanager
    def _cluster(self, link: str, env: Mapping[str, str] | None = None) -> Iterator[Cluster]:
        # without a limit nothing is spilled to disk, which would be measured too; `_one` looks at the memory
        limits = ("--memory-limit", "0")
        if link == "loopback":
            with local_cluster(self.plan.workers, worker_args=limits, env=env) as cluster:
                yield cluster
        else:
            with shaped_cluster(self.plan.workers, link, worker_args=limits, env=env) as cluster:
                yield cluster

    def _one(self, installed: Installed, case: Case, clusters: stock.Clusters) -> None:
        """Measure a configuration; what goes wrong is kept and does not stop the others."""
        needed, free = COPIES * 8 * 4**case.scale, psutil.virtual_memory().available
        if needed > free:
            self.skipped[case.key] = f"needs {needed / 2**30:.0f} GiB of memory, {free / 2**30:.0f} are free"
            self.say(f"{case.key}: skipped, {self.skipped[case.key]}")
            return
        start = time.perf_counter()
        try:
            rows = self._measured(installed, case, clusters)
        except Exception as error:
            self.broken[case.key] = f"{type(error).__name__}: {error}"
            self.say(f"{case.key}: {self.broken[case.key]}")
        else:
            self.rows += rows
            self.say(f"{case.key}: {_in_short(rows)} ({time.perf_counter() - start:.0f} s)")
        self.save()

    def _measured(self, installed: Installed, case: Case, clusters: stock.Clusters) -> list[dict[str, Any]]:
        plan = self.plan
        clusters.wake(installed.client)
        below = self.oracle[case.key] = installed.ready(case)
        self._note_speed(case.link, installed.link)
        ours = Ours(installed.client, case, plan.seed, below)
        on_clusters: list[Runs] = [ours]
        for client, arms in clusters.stock:
            clusters.wake(client)
            on_clusters.append(stock.Stock(client, ours.matrix, arms, case.placement))
        local: list[Runs] = [Local(ours.matrix, self.say)] if clusters.stock and case == plan.base else []

        def wake(program: Runs) -> None:
            clusters.wake(getattr(program, "client", None))

        calibrate(on_clusters, plan.shortest, wake)
        calibrate(local, plan.shortest, wake)
        return measured([*on_clusters, *local], case.key, plan.rounds, plan.seed, before=wake)

    def _note_speed(self, link: str, speed: float) -> None:
        """Remember what workers reach; say so where it is far from what the link is meant to carry."""
        self.speeds[link] = speed
        if link != "loopback" and speed < ENOUGH * bits_per_second(link) / 8 and link not in self.limited:
            self.limited[link] = f"limited by the CPU: workers reach {8 * speed / 1e9:.2g} Gbit/s"
            self.say(f"  {link}: {self.limited[link]}")


def _in_short(rows: list[dict[str, Any]]) -> str:
    """Return the arms of ours and the best of the others, as times adaptive's seconds."""
    summary = summarize(rows)
    wanted = {name: summary.get(f"speedup_vs_{name}", {}) for name in REFERENCES}
    return ", ".join(f"{name} {ratio:.2f} ×" for name, found in wanted.items() for ratio in found.values())
