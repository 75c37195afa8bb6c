"""How fast the kernels are: ``python -m bench.kernels --json FILE``.

1. Products with a vector, and with a block of vectors, of Graph500 matrices with a share of dense tiles: beside NumPy,
   SciPy, SuiteSparse:GraphBLAS and MKL, where they are installed, and beside reading as many bytes
   (`kernel_product.py`). ``ratio_vs_best_peer`` is the fastest peer's seconds ÷ ours, of those that a Python package
   offers; ``ratio_vs_dense`` NumPy's; ``ratio_vs_mkl_optimized`` that of MKL used through private functions.
   ``bandwidth_fraction`` is the bytes that our product must read (matrix, x and y once) per second ÷ those of
   `np.sum` or `np.dot`, whichever is faster, over an array of 256 MiB. Smaller matrices live in nearer caches: for
   them it may exceed 1.
2. Turning tiles sparse, beside `np.sum` of the same tiles (`kernel_compression.py`): ``compress_over_read`` and
   ``passed_over``.

Compiling is measured apart and never inside: ``compile_seconds``.
"""

from __future__ import annotations

import gc
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from asafess.kernels.prepare import prepare

from . import kernel_compression, kernel_product
from .environment import environment, one_line, versions
from .harness import write_json
from .kernel_product import Settings
from .kernel_summary import compression_summary, print_all, product_summary
from .peers import PEERS, usable

DTYPES = ("float64", "float32")
LIBRARIES = ("python-graphblas", "suitesparse-graphblas", "sparse_dot_mkl", "mkl", "threadpoolctl")
#: how far rounds may grow while A against A is too wide
GROWTH = 2


class Lists(click.Command):
    """A command whose options take any number of words: ``--scales 11 12`` is ``--scales 11,12``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Join the words that follow an option."""
        joined: list[str] = []
        for word in args:
            if len(joined) > 1 and joined[-2].startswith("--") and not {joined[-1][0], word[0]} & {"-"}:
                joined[-1] += f",{word}"
            else:
                joined.append(word)
        return super().parse_args(ctx, joined)


class Numbers(click.ParamType):
    """Numbers with commas or spaces between them."""

    name = "numbers"

    def __init__(self, kind: type) -> None:
        self.kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a tuple."""
        try:
            return tuple(map(self.kind, value.replace(",", " ").split())) if isinstance(value, str) else value
        except ValueError:
            self.fail(f"{value!r} is no list of numbers such as 11,12,13", param, ctx)


def compile_seconds(tiles: tuple[int, ...]) -> float:
    """Return how long compiling all kernels took; 0 for those that this process has already compiled."""
    start = time.perf_counter()
    for tile in tiles:
        prepare(DTYPES, tile)
    return time.perf_counter() - start


@click.command(cls=Lists, help=__doc__)
@click.option("--json", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write all rows there.")
@click.option("--scales", type=Numbers(int), default="11,12,13,14", show_default=True)
@click.option(
    "--shares", type=Numbers(float), default="0,2,5,10,20,50", show_default=True, help="Dense tiles, per cent."
)
@click.option("--threads", default=1, show_default=True, help="Threads of every product; SciPy has one.")
@click.option("--rounds", default=15, show_default=True, help="Up to twice as many while A against A is too wide.")
@click.option("--block", default=8, show_default=True, help="Vectors of a block; 0 leaves blocks out.")
@click.option("--block-scale", default=12, show_default=True, help="Scale at which blocks are multiplied.")
@click.option("--peers", "names", default=",".join(PEERS), show_default=True, help="Which peers, with commas.")
@click.option("--peer-gib", default=4.0, show_default=True, help="The largest array that a peer may make, GiB.")
@click.option("--tiles", type=Numbers(int), default="128,256,512,1024,2048,4096", show_default=True, help="Of panels.")
@click.option(
    "--part",
    type=click.Choice(["product", "compression", "both"]),
    default="both",
    show_default=True,
    help="What to do.",
)
@click.option("--rows/--no-rows", "with_rows", default=True, help="Write every run, or only the summary.")
@click.option("--small", is_flag=True, help="Tiny sizes: to see that it runs, not how fast.")
def main(
    path: Path | None,
    scales: tuple[int, ...],
    shares: tuple[float, ...],
    threads: int,
    rounds: int,
    block: int,
    block_scale: int,
    names: str,
    peer_gib: float,
    tiles: tuple[int, ...],
    part: str,
    with_rows: bool,
    small: bool,
) -> None:
    settings = Settings(threads, rounds, GROWTH * rounds, peer_bytes=int(peer_gib * 2**30))
    panel_bytes = 16 << 20
    if small:
        scales, shares, tiles, block_scale, panel_bytes = (7, 8), (0.0, 20.0), (64, 128), 7, 1 << 16
        settings = Settings(threads, 2, 2, sample=1e-5, pause=0.0, read_bytes=1 << 20, tile=32)
    peers = usable(filter(None, names.split(",")))
    where = {**environment(), "peers": versions(LIBRARIES), "job": {"threads": threads, "small": small}}
    click.echo(one_line(where))
    edges = (settings.tile,) if part == "product" else (settings.tile, *tiles)
    summary: dict[str, Any] = {"compile_seconds": compile_seconds(edges), "threads": threads}
    rows: list[dict[str, Any]] = []
    if part != "compression":
        for scale in scales:
            for percent in shares:
                for columns in (None, block) if block and scale == block_scale else (None,):
                    gc.collect()  # the last matrices, before the next
                    rows += kernel_product.race(scale, percent, peers, settings, columns, click.echo)
        summary |= product_summary(rows)
    if part != "product":
        recoded, single = [], replace(settings, threads=1)
        for job in kernel_compression.jobs(tiles, DTYPES):
            recoded += kernel_compression.race(job, single, panel_bytes)
        summary |= compression_summary(recoded)
        rows += recoded
    if path is not None:
        write_json(path, summary, rows if with_rows else [], where)
    print_all(rows, summary, click.echo)
    if any(not same for by in summary.get("same_bits", {}).values() for same in by.values()):
        raise click.ClickException("the forms of a matrix gave different bits: see summary.same_bits")


if __name__ == "__main__":
    main()
