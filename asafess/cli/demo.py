"""``asafess demo``: what adapting gains on a local cluster."""

from __future__ import annotations

from importlib.util import find_spec

import click

from asafess.cli.outputs import Output


@click.command()
@click.option("--scale", default=11, show_default=True, type=click.IntRange(8, 16), help="2^scale rows and columns.")
@click.option("--tile", default=128, show_default=True, type=click.IntRange(8, 4096), help="Rows of a tile.")
@click.option("--workers", default=4, show_default=True, type=click.IntRange(2, 64), help="Worker processes.")
@click.option(
    "--dense-share", default=0.2, show_default=True, type=click.FloatRange(0, 1), help="Share of dense tiles."
)
@click.option("--iterations", type=click.IntRange(min=1), help="Sweeps per run; default: as many as last a second.")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(min=1), help="Runs of each arm.")
@click.option(
    "--seed", default=1, show_default=True, type=click.IntRange(min=0), help="Of dense tiles and of the order."
)
@click.option("--json", type=Output(), help="Write all rows and the summary.")
@click.option("--plot", type=Output(), help="Draw mode, states and arms as a PNG.")
def demo(
    scale: int,
    tile: int,
    workers: int,
    dense_share: float,
    iterations: int | None,
    rounds: int,
    seed: int,
    json: str | None,
    plot: str | None,
) -> None:
    """Multiply a part sparse, part dense matrix on a local cluster, in five ways."""
    from asafess.bench.demo import Job, run

    if plot and find_spec("matplotlib") is None:
        raise click.UsageError("--plot needs matplotlib: pip install 'asafess[plot]'")

    job = Job(scale, tile, dense_share, iterations=iterations, seed=seed, rounds=rounds)
    run(job, workers, json, plot)
