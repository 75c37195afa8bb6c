"""Whether the compiler is right: what it says of programs, beside counts and measurements.

    python -m bench.compiler --json compiler.json

Kernels for Numba and Dask programs without any annotation, the Parallel Research Kernels (*) among them. Of each, the
operations and bytes that the compiler predicts stand beside those that an instrumented run counts (`counting/`), and
the bound that follows from them and from the cluster's measured rates beside the bound that experiments on the cluster
find (`cluster.py`). Kernels with affine loops must be exact at all sizes; the others, and the Dask programs,
within a factor of two. Where two axes take about as long, either bound is right in `right_bound`, and only the longer
one in `right_bound_strict`. Times want a machine that does nothing else.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import click
from distributed import Client
from threadpoolctl import threadpool_limits

from asafess.cluster import calibrate
from asafess.core.mode import Rates

from ..environment import environment, one_line
from ..harness import write_json
from ..links import allowed, enter, local_cluster, shaped_cluster
from . import cluster as cluster_side
from .case import Kernel, Program
from .counting.graph import count
from .graph import Graph, graph
from .kernel_cost import Compared, compare
from .kernels import KERNELS
from .placement import place
from .predict import predict
from .programs import PROGRAMS
from .rows import kernel_bounds, kernel_row, measured_bound, program_row, summary, table

#: seconds that small runs take together, and times that large ones are run
SHORTEST, RUNS = 0.2, 3
#: nothing that was freed is given back to the kernel, so small arrays are not made of fresh pages each time
KEEPS_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 25),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
    "MALLOC_ARENA_MAX": "1",
}
#: a part that a test has the time for
SMALL_KERNELS = ("nstream", "newton")
SMALL_PROGRAMS = ("add", "matmul", "mirror")
SMALL_EDGE = 96


def measured_rates(client: Client, seconds: float) -> Rates:
    """Return a thread's rates of flop, of flop in loops and of memory, and a worker's of its link, all at once."""
    spread = calibrate.measure(client, cluster_side.no_codec, seconds).spread()
    flop, memory, link, loops = (spread[name][1] for name in ("flop", "memory", "link", "loops"))
    return Rates(flop, memory, link, {"loops": loops})


@dataclass(frozen=True)
class Measured:
    """A cluster with its rates."""

    client: Client
    workers: list[str]
    rates: Rates

    def alone(self, function: Callable[..., float], case: Any, size: int, shortest: float, runs: int) -> float:
        """Return the seconds of something that runs alone on the first worker."""
        future = self.client.submit(function, case, size, shortest, runs, workers=self.workers[0], pure=False)
        return float(future.result())


@contextmanager
def measured(makes: Any, seconds: float = 3.0, rates: Rates | None = None) -> Iterator[Measured]:
    """Yield a cluster with its rates, measured for so long where they are not given."""
    with makes as cluster, Client(cluster.address, set_as_default=False) as client:
        yield Measured(client, cluster.workers, rates or measured_rates(client, seconds))


@dataclass(frozen=True)
class Session:
    """Measures programs, each on the cluster that it is meant for."""

    slow: Measured
    fast: Measured
    #: one worker that keeps its memory: what fits into its caches stays in them
    warm: Measured
    small: bool

    def kernel(self, kernel: Kernel) -> dict[str, Any]:
        """Return a kernel's row."""
        large = (self.small and kernel.small) or kernel.large
        compared: Compared = compare(kernel, large)
        shortest, runs = (0.01, 1) if self.small else (SHORTEST, RUNS)
        in_memory = self.fast.alone(cluster_side.kernel_alone, kernel, large, 0.0, runs)
        in_caches = self.warm.alone(cluster_side.kernel_alone, kernel, kernel.small, shortest, runs)
        slower = in_memory / in_caches / (kernel.work(large) / kernel.work(kernel.small))
        return kernel_row(kernel, compared) | {
            **kernel_bounds(compared, self.fast.rates),
            **measured_bound(cluster_side.axes(in_memory, slower)),
            "slower": slower,
            "check": None if kernel.check is None else kernel.check(kernel.function),
        }

    def program(self, program: Program) -> dict[str, Any]:
        """Return a Dask program's row."""
        on = self.fast if program.fast else self.slow
        large = SMALL_EDGE if self.small else program.large
        counted = graph(program, program.counted or large)
        counters = list(count(counted)[0].values())
        predicted = predict(counted, _held(counted, on), len(on.workers))
        row = program_row(program, counted, predicted, counters)
        if program.counted:
            counted = graph(program, large)
            predicted = predict(counted, _held(counted, on), len(on.workers))
        del counted  # its inputs are large
        cluster_side.run(on.client, on.workers, program, program.tiny)  # imports and compiles
        times = 1 if self.small else RUNS
        found = typical([cluster_side.run(on.client, on.workers, program, large) for _ in range(times)])
        slower, communication = None, cluster_side.communication(found)
        if communication <= cluster_side.TIE * found["computed_seconds"]:
            slower = self._slower(program, large, row, on)
        return row | {
            "bound_predicted": predicted.bound(on.rates),
            "predicted_loads": predicted.loads,
            "predicted_moved": predicted.fetched,
            **found,
            "link_rate": on.rates.link,
            "slower": slower,
            **measured_bound(cluster_side.axes(found["computed_seconds"], slower, communication)),
        }

    def _slower(self, program: Program, large: int, row: dict[str, Any], on: Measured) -> float | None:
        """Return how much slower per work a program's tasks are with large chunks."""
        shortest, runs = (0.01, 1) if self.small else (SHORTEST, RUNS)
        in_memory = on.alone(cluster_side.program_alone, program, large, 0.0, runs)
        in_caches, empty = (
            self.warm.alone(cluster_side.program_alone, program, size, shortest, runs)
            for size in (program.small, program.tiny)
        )
        work = (large / program.small) ** 2
        if not program.counted:
            counters = count(graph(program, program.small))[0].values()
            small = sum(one.flop for one in counters), sum(one.read + one.written for one in counters)
            work = (
                row["counted_flop"] / small[0] if row["counted_flop"] and small[0] else row["counted_bytes"] / small[1]
            )
        return cluster_side.slowdown(in_memory, in_caches, empty, work)


def typical(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the median of each figure of some runs.

    >>> typical([{"moved": 1.0}, {"moved": 9.0}, {"moved": 2.0}])
    {'moved': 2.0}
    """
    return {name: median(run[name] for run in runs) for name in runs[0]}


def _held(of: Graph, on: Measured) -> dict[Any, int]:
    """Return where the inputs of a graph will lie on a cluster."""
    blocks = Counter(collection for _, collection, _ in of.inputs)
    return {key: place(key[2], blocks[key[1]], len(on.workers)) for key in of.inputs}


def there(programs: Sequence[Program]) -> list[Program]:
    """Return the programs whose packages are installed, and say which are left out."""
    found = []
    for program in programs:
        missing = [name for name in program.needs if importlib.util.find_spec(name) is None]
        if missing:
            click.echo(f"{program.name} is left out: {', '.join(missing)} not installed")
        else:
            found.append(program)
    return found


def measure(session: Session, kernels: Sequence[Kernel], programs: Sequence[Program]) -> list[dict[str, Any]]:
    """Return the rows of kernels and programs."""
    rows = []
    for case in (*kernels, *programs):
        began = perf_counter()
        row = session.kernel(case) if isinstance(case, Kernel) else session.program(case)
        row["measuring_seconds"] = perf_counter() - began
        click.echo(f"  {row['name']:<18} {row['bound_measured']:<14} predicted {row['bound_predicted']}")
        rows.append(row)
    return rows


@click.command(help=__doc__)
@click.option("--workers", default=4, show_default=True, type=click.IntRange(2, 64), help="Worker processes.")
@click.option("--link", default="1gbit", show_default=True, help="loopback, or a rate; loopback where none is shaped.")
@click.option("--only", multiple=True, help="Names of kernels and programs; default: all.")
@click.option("--small", is_flag=True, help="A few small programs on two workers: everything works, nothing is meant.")
@click.option("--json", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write rows and summary.")
def main(workers: int, link: str, only: tuple[str, ...], small: bool, json: Path | None) -> None:
    kernels, programs = list(KERNELS), list(PROGRAMS)
    known = {case.name for case in (*kernels, *programs)}
    if unknown := set(only) - known:
        raise click.ClickException(f"no program {', '.join(sorted(unknown))}: there are {', '.join(sorted(known))}")
    wanted = set(only) or ({*SMALL_KERNELS, *SMALL_PROGRAMS} if small else known)
    kernels = [kernel for kernel in kernels if kernel.name in wanted]
    programs = there([program for program in programs if program.name in wanted])
    shaped = False
    if link != "loopback" and not small:
        enter()
        shaped, reason = allowed()
        if not shaped:
            click.echo(f"Links of {link} can't be shaped here, loopback it is: {reason}")
    count_ = 2 if small else workers
    links = "veth through a bridge; loopback for programs marked fast" if shaped else "loopback"
    slow = shaped_cluster(count_, rate=link) if shaped else local_cluster(count_)
    with (
        measured(slow, 0.3 if small else 3.0) as slow_one,
        measured(local_cluster(count_)) if shaped else nullcontext(slow_one) as fast_one,
        nullcontext(slow_one) if small else measured(local_cluster(1, env=KEEPS_MEMORY), rates=slow_one.rates) as warm,
        # of this process, which counts: several BLAS threads wait for each other on busy cores
        threadpool_limits(1),
    ):
        rows = measure(Session(slow_one, fast_one, warm, small), kernels, programs)
        rates = {"slow": asdict(slow_one.rates), "fast": asdict(fast_one.rates)}
        where = environment(
            {"workers": count_, "threads_per_worker": 1, "rate": link if shaped else None, "links": links}
        )
    found = summary(rows)
    click.echo(table(rows))
    click.echo("\n".join(f"{name}: {value}" for name, value in found.items()))
    click.echo(one_line(where))
    if json is not None:
        write_json(json, found, rows, where | {"rates": rates, "small": small})
