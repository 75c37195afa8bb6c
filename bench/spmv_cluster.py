"""One configuration on a Dask cluster: `bench.demo`'s program, the oracle, and the other programs beside it.

Every timed run is checked against the closed form (`Graph500Matrix.expected`), and all arms of ours and the oracle
against each other, bit by bit. Sweeps per run are chosen once per configuration, the same for all arms on a cluster.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
from distributed import Client

import asafess
from asafess.optimizations.tile_compression import TileCompression
from asafess.workloads.placement import Placement, homes, worker_addresses

from .demo import FIXED, Program
from .harness import Arm, Outcome, measure
from .scores import AGAIN
from .spmv_cases import Case
from .spmv_oracle import Costs, measured_costs, stored, threshold
from .spmv_reference import expected

#: arms of ours, by kind; other programs name theirs
OURS = {"adaptive": "ours", "dense": "ours", "sparse": "ours", "light": "ours", "full": "ours", "oracle": "oracle"}


class Runs(Protocol):
    """A program that can run some arms; what `measured` needs of it."""

    #: arm → kind: ours, oracle, stock or local
    kinds: Mapping[str, str]
    #: sweeps in one run
    sweeps: int

    def prepare(self, arm: str) -> object:
        """Get ready for a run, untimed."""

    def run(self, arm: str) -> Outcome:
        """Run `sweeps` sweeps; the outcome's value is (arm, result)."""

    def verify(self, outcome: Outcome) -> Mapping[str, Any] | str:
        """Check a run, untimed; return figures, or what is wrong."""

    def start(self, sweeps: int) -> None:
        """Set the number of sweeps of the runs to come."""


class Ours(Program):
    """The arms that run over our panels, SciPy's and the oracle's."""

    states: Mapping[str, str] = {**FIXED, "sparse": "off", "oracle": "off"}
    forms: Mapping[str, str] = {"sparse": "csr", "oracle": "oracle"}

    def __init__(self, client: Client, case: Case, seed: int, below: int) -> None:
        super().__init__(client, case.job(seed))
        # random values are there for stock Dask, which is compared with adaptive alone
        self.kinds: Mapping[str, str] = OURS if case.values == "analytic" else {"adaptive": OURS["adaptive"]}
        self.placement: Placement = case.placement
        self.panels["oracle"] = [
            client.submit(stored, panel, below, workers=[home], pure=False)
            for panel, home in zip(self.panels["dense"], homes(self.matrix.panels, self.workers), strict=True)
        ]
        for panel in self.panels["oracle"]:
            if (error := panel.exception()) is not None:  # waits, and fetches nothing
                raise error

    def run(self, arm: str, placement: Placement | None = None) -> Outcome:
        """Multiply as in `bench.demo`, in the placement of the configuration."""
        return super().run(arm, placement or self.placement)

    def verify(self, outcome: Outcome) -> Mapping[str, Any] | str:
        """Check as in `bench.demo`; also note the state at the end."""
        found = super().verify(outcome)
        if isinstance(found, str):
            return found
        return {**found, "state": self.last_status["states"]["tile_compression"]}

    def expected(self) -> np.ndarray:
        """Return what a run must come to, whatever the values."""
        return expected(self.matrix, self.sweeps)

    def start(self, sweeps: int) -> None:
        """Set the number of sweeps; results are other ones from now on."""
        self.sweeps, self._bits = sweeps, None


class Installed:
    """`asafess` on a cluster, with the threshold that a tile size asks for, and what is measured once on it."""

    def __init__(self, client: Client, say: Callable[[str], object]) -> None:
        self.client, self.say = client, say
        self.tile: int | None = None
        #: bytes/s per worker
        self.link = math.nan
        self._costs: dict[tuple[int, int], Costs] = {}

    def ready(self, case: Case) -> int:
        """Install, compile and measure what a configuration needs; return the oracle's threshold."""
        workers = worker_addresses(self.client)
        if self.tile != case.tile:
            # the paper's candidates: fewer than 128 non-zeros in tiles of 128 rows, one for each row
            asafess.install(self.client, [TileCompression(threshold=case.tile)])
            self.link = asafess.wait(self.client)["rates"]["link"]
            self.tile = case.tile
            compiled = [self.client.submit(_compile, case.tile, workers=[w], pure=False) for w in workers]
            self.client.gather(compiled)
            self.say(f"  asafess installed, threshold {case.tile}; link {self.link / 1e6:.0f} MB/s per worker")
        n = 2**case.scale
        if (case.tile, n) not in self._costs:
            task = self.client.submit(measured_costs, case.tile, n, n // len(workers), workers=workers[:1], pure=False)
            self._costs[case.tile, n] = task.result()
        return threshold(self._costs[case.tile, n], self.link if case.placement == "stream" else math.inf)


def _compile(tile: int) -> None:
    """Task: compile the kernels of this tile size."""
    from asafess.kernels.prepare import prepare

    prepare(["float64"], tile)


def _nothing(_: Runs) -> None:
    """Do nothing before a run."""


def calibrate(programs: Sequence[Runs], shortest: float, before: Callable[[Runs], object] = _nothing) -> None:
    """Warm every arm up, check it, and choose the sweeps such that the first program's arms run for `shortest` seconds.

    Parameters
    ----------
    programs : sequence of Runs
        All get the same number of sweeps.
    shortest : float
    before : callable
        Called with a program before each of its runs, untimed.
    """
    fastest = math.inf
    for sweeps in (1, 2):
        for program in programs:
            program.start(sweeps)
            for arm in program.kinds:
                before(program)
                program.prepare(arm)
                start = time.perf_counter()
                outcome = program.run(arm)
                seconds = (time.perf_counter() - start) / sweeps
                problem = program.verify(outcome)
                if isinstance(problem, str):
                    raise RuntimeError(f"{arm}: {problem}")
                if program is programs[0]:
                    fastest = min(fastest, seconds)
        if fastest > shortest:
            break
    for program in programs:
        program.start(max(1, math.ceil(1.02 * shortest / fastest)))


def measured(
    programs: Sequence[Runs],
    key: str,
    rounds: int,
    seed: int,
    on_progress: Callable[[dict[str, Any]], object] | None = None,
    before: Callable[[Runs], object] = _nothing,
) -> list[dict[str, Any]]:
    """Run all arms of some calibrated programs in interleaved rounds; return rows that know where they belong."""
    owners = {arm: program for program in programs for arm in program.kinds}

    def prepare(arm: str) -> None:
        before(owners[arm])
        owners[arm].prepare(arm)

    arms = [Arm(arm, partial(program.run, arm), prepare=partial(prepare, arm)) for arm, program in owners.items()]

    def verify(outcome: Outcome) -> Mapping[str, Any] | str:
        return owners[outcome.value[0]].verify(outcome)

    result = measure(arms, rounds, seed, verify, warmup=0, against_itself="adaptive", on_progress=on_progress)
    for row in result.rows:
        owner, arm = owners[row["arm"].removesuffix(AGAIN)], row["arm"].removesuffix(AGAIN)
        seconds = row["seconds"]
        row |= {
            "configuration": key,
            "kind": owner.kinds[arm],
            "sweeps": owner.sweeps,
            "sweep_seconds": None if seconds is None else seconds / owner.sweeps,
        }
    return result.rows
