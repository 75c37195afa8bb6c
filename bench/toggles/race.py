"""The arms of a case against each other, on a running cluster: rows of one program."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from zlib import crc32

import dask.config
from dask.utils import parse_bytes
from distributed import Client, Scheduler, Worker

import asafess
from asafess.cluster.config import RATES

from ..harness import Arm, Outcome, Result, measure
from ..links import Cluster
from .case import ADAPTIVE, NULL, OFF, Case, Program


def _forget_links(dask_scheduler: Scheduler | None = None, dask_worker: Worker | None = None) -> None:
    """Let Dask take its links for those of a new cluster, so that no run depends on what was run before it."""
    one = dask_scheduler if dask_scheduler is not None else dask_worker
    assert one is not None
    one.bandwidth = parse_bytes(dask.config.get("distributed.scheduler.bandwidth"))


def _configure(settings: Mapping[str, Any], dask_worker: Worker) -> None:
    """Change a worker's configuration, and let it make its connections anew."""
    dask.config.set(settings)
    dask_worker.rpc.collect()


def same(value: Any, other: Any, error: float) -> bool:
    """Say whether two values are the same; of numbers, whether they are so up to a relative error. NaN is no number.

    >>> same([1.0, (2.0,)], [1.0, (2.0,)], 0.0), same([1.0], [1.001], 0.01), same([1.0], [1.1], 0.01)
    (True, True, False)
    """
    if error == 0:
        return bool(value == other)
    if isinstance(value, list | tuple) and isinstance(other, list | tuple):
        return len(value) == len(other) and all(same(a, b, error) for a, b in zip(value, other, strict=True))
    return abs(value - other) <= error * max(abs(value), abs(other))


class Race:
    """Prepares, runs and checks one program of a case.

    Parameters
    ----------
    rates : dict
        Rates of the cluster; what the first installation finds out is kept there for those after it.
    """

    def __init__(self, client: Client, cluster: Cluster, case: Case, program: Program, rates: dict[str, float]) -> None:
        self.client, self.case, self.rates = client, case, rates
        self.workload = program.make(client, cluster.workers)
        self.fixed = case.fixed()
        settings = sorted({name for one in case.configured.values() for name in one})
        self._found = {name: dask.config.get(name) for name in settings}
        self._value: Any = None

    def prepare(self, arm: str) -> None:
        """Install what the arm has, hold its states, and let the program prepare itself."""
        asafess.uninstall(self.client)
        self.client.run_on_scheduler(_forget_links)
        self.client.run(_forget_links)
        if self._found:
            self.client.run(_configure, {**self._found, **self.case.configured.get(arm, {})})
        stock = arm == OFF or arm in self.case.configured
        # stock Dask, too, after an installation: during the pause that it takes, workers' memory grows cold
        names = [NULL] if stock or arm == NULL else list(self.case.optimizations)
        asafess.install(self.client, names, rates=self.rates, **self.case.settings)
        found = asafess.wait(self.client)["rates"]
        if stock:
            asafess.uninstall(self.client)
        else:
            self.rates.update({name: found[name] for name in RATES if found.get(name)})
            for name, state in self.fixed.get(arm, {}).items():
                asafess.pin(self.client, name, state)
        self.workload.prepare()

    def run(self, arm: str) -> Outcome:
        """Run the program."""
        began = time.monotonic()
        value, phases = self.workload.run()
        return Outcome((arm, began, value), {"phases": dict(phases)})

    def verify(self, outcome: Outcome) -> Mapping[str, Any] | str:
        """Compare the value with that of the first run; return the states at the end, and switches."""
        arm, began, value = outcome.value
        if self._value is None:
            self._value = value
        if not same(value, self._value, self.case.error):
            within = f" by more than {self.case.error}" if self.case.error else ""
            return f"the result differs from that of the first run{within}"
        if arm == OFF or arm in self.case.configured:
            return {}
        status = asafess.status(self.client)
        if status["fault"]:
            return str(status["fault"])
        return {
            "states": " ".join(f"{name}={state}" for name, state in status["states"].items()),
            "switches": sum(one["time"] >= began for one in status["switches"]),
        }


def race(
    client: Client,
    cluster: Cluster,
    case: Case,
    program: Program,
    rates: dict[str, float],
    rounds: int,
    up_to: int,
    warmup: int = 1,
    on_progress: Callable[[dict[str, Any]], object] | None = None,
) -> Result:
    """Measure all arms of a case on one program; *adaptive* runs twice per round.

    Each program has orders of its own: what they leave unbalanced must not be the same in all programs of a set.
    """
    running = Race(client, cluster, case, program, rates)
    names = [ADAPTIVE, *running.fixed, *([NULL] if case.null else [])]
    arms = [Arm(name, partial(running.run, name), prepare=partial(running.prepare, name)) for name in names]
    try:
        seed = crc32(program.name.encode())
        return measure(arms, rounds, seed, running.verify, warmup, on_progress=on_progress, up_to=up_to)
    finally:
        asafess.uninstall(client)
