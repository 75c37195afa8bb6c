"""What tile compression is worth by itself: shared memory, four threads, our kernels, no Dask.

    python -m bench.spmv_threads --scale 11 --dense-share 0.2

A timed run multiplies one matrix with some vectors, one after the other as an iterative method would: the next product
begins when the last panel of this one is done. There is a panel, some whole tile rows, for each thread, as each
processor has its part in the paper; more panels cost more in Python between the kernels than they balance. Compressing
(counting and writing tiles) belongs to the run, within its first product, so it has to be paid back by the products of
the same run: they are 1, 10 and 100.

Arms: *dense*; *sparse* (SciPy CSR panels, made before the clock); *light* (the paper's candidates, fewer non-zeros
than rows of the tile); *full* (fewer bytes); *adaptive* (compresses if the products of the run pay it back, see
`spmv_threads_program.py`); *oracle* (each tile in the form in which it costs least, found by trying and made before
the clock: a lower bound).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import click

from asafess.workloads.graph500_edges import ORDERS

from .demo import Job
from .environment import environment, one_line
from .harness import Arm, Result, measure, write_json
from .report import table
from .spmv_threads_program import Program

#: of the paper
THREADS = 4
PRODUCTS = (1, 10, 100)
ARMS = ("adaptive", "dense", "sparse", "light", "full", "oracle")


def shared_memory(
    job: Job,
    rounds: int,
    seed: int,
    say: Callable[[str], object] = print,
    threads: int = THREADS,
    products: Sequence[int] = PRODUCTS,
) -> dict[str, Any]:
    """Measure all arms; return ``{"summary", "rows"}``.

    Parameters
    ----------
    job : Job
        The matrix; its iterations and rounds do not count here, and its values are analytic ones.
    rounds : int
        Runs of each arm with each number of products.
    seed : int
        Of the order of the arms.
    say : callable
        Takes a line of text for the person who watches.
    threads : int
    products : sequence of int
        Products of a run.

    Returns
    -------
    dict
        *rows*: those of the harness, each with its ``products``. *summary*: how it was decided, and under
        ``products`` what `summary` says of each number of products.
    """
    running = Program(job, threads, max(products))
    say(
        f"shared memory, {threads} threads: scale {job.scale}, {running.matrix.panels} panels, "
        f"{running.matrix.nnz} non-zeros; a tile is better off sparse below {running.break_even} non-zeros by the "
        f"rates, below {running.oracle} by the oracle's trials"
    )
    rows, summaries = [], {}
    for number in products:
        arms = [Arm(arm, partial(running.run, arm, number)) for arm in ARMS]
        result = measure(arms, rounds, seed, running.verify)
        rows += [{"products": number, **row} for row in result.rows]
        summaries[str(number)] = found = summary(result)
        say(
            f"  {number:>3} products: adaptive {'compresses' if running.decide(number) else 'leaves it dense'}; "
            + ", ".join(f"{arm} {ratio:.2f} ×" for arm, ratio in found["ratio_to_adaptive"].items())
            + (" — FASTER THAN THE ORACLE: an error of the measurement" if found["too_good"] else "")
        )
    return {
        "summary": {
            "threads": threads,
            "rates": running.rates,
            "break_even_non_zeros": running.break_even,
            "oracle_non_zeros": running.oracle,
            "products": summaries,
        },
        "rows": rows,
    }


def summary(result: Result) -> dict[str, Any]:
    """Return the numbers that matter, from the rows of one number of products.

    ``speedup_vs_dense`` and ``speedup_vs_sparse`` are ratios of times, ``time_saved_…`` the other reading: the share
    of the reference's time that an arm saves. ``ratio_to_adaptive`` are an arm's times ÷ adaptive's.
    """
    found: dict[str, Any] = {"ratio_to_adaptive": {arm: result.ratio(arm).median for arm in ARMS[1:]}}
    for reference in ("dense", "sparse"):
        others = [arm for arm in ARMS if arm != reference]
        ratios = {arm: result.ratio(arm, reference) for arm in others}
        found[f"speedup_vs_{reference}"] = {arm: result.ratio(reference, arm) for arm in others}
        found[f"time_saved_vs_{reference}"] = {arm: 1 - ratio.median for arm, ratio in ratios.items()}
    return found | {
        "a_against_a_half_width": result.half_width,
        # a lower bound that is undercut by more than the noise was not measured right
        "too_good": bool(result.ratio("oracle").low > 1 + result.half_width),
        "failed": sum(not row["ok"] for row in result.rows),
    }


@click.command()
@click.option("--scale", default=11, show_default=True, type=click.IntRange(8, 14), help="2^scale rows and columns.")
@click.option("--tile", default=128, show_default=True, type=click.IntRange(8, 4096), help="Rows of a tile.")
@click.option("--dense-share", default=0.2, show_default=True, type=click.FloatRange(0, 1))
@click.option("--order", default="recursive", show_default=True, type=click.Choice(ORDERS))
@click.option("--threads", default=THREADS, show_default=True, type=click.IntRange(min=1))
@click.option("--rounds", default=9, show_default=True, type=click.IntRange(min=1))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0))
@click.option("--json", type=click.Path(dir_okay=False, writable=True), help="Write all rows and the summary.")
def main(
    scale: int, tile: int, dense_share: float, order: Any, threads: int, rounds: int, seed: int, json: str | None
) -> None:
    """Measure tile compression in shared memory, without Dask."""
    job = Job(scale, tile, dense_share, order=order, seed=seed, rounds=rounds)
    document = shared_memory(job, rounds, seed, threads=threads)
    where = environment() | {"job": asdict(job)}
    for number in PRODUCTS:
        click.echo(f"\n{number} products")
        rows = [row for row in document["rows"] if row["products"] == number]
        click.echo(table(rows, against="adaptive", columns=["first_product_seconds", "sparse_tiles"]))
    click.echo(one_line(where))
    if json:
        write_json(json, document["summary"], document["rows"], where)


if __name__ == "__main__":
    main()
