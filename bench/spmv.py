"""The paper's table and its surroundings: ``python -m bench.spmv --json FILE [--plot PNG]``.

(a) shared memory: our kernels without Dask (`spmv_threads.py`). (b) a Dask cluster of four worker processes with one
thread each (`spmv_cluster.py`): the paper's matrix, 2048 × 2048 in tiles of 128 × 128, candidates below 128
non-zeros, and around it one factor varied at a time (`spmv_cases.py`). Arms: *dense*, *sparse* (SciPy CSR panels made
beforehand, stock serialization), *light*, *full*, *adaptive*, *adaptive again* and the per-tile *oracle*
(`spmv_oracle.py`). At the base, on each link, also stock Dask (`spmv_stock.py`), once more with random values, since
analytic ones flatter lz4 and zstd (`spmv_reference.py`); and, once, other libraries in this process (`spmv_local.py`).
A timed run makes as many sweeps as the fastest arm of ours needs for 0.6 s, the same number for all on the cluster.
Whatever is not installed or not allowed is skipped with a line.

The file is written anew after each configuration. The exit status is 1 where the oracle was beaten beyond A against
A, a run failed, or a configuration could not be measured.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from .link_speed import link_speed
from .links import allowed, enter
from .namespaces import bits_per_second
from .spmv_cases import LINKS, Case, cases, chosen
from .spmv_report import show
from .spmv_run import SHARED_MEMORY, Bench, Plan

#: a fast link is used where an unshaped pair moves so many times its rate
HEADROOM = 1.5
FAST = "10gbit"


def usable_links(say: Callable[[str], object]) -> tuple[list[str], dict[str, str]]:
    """Return the links that can be had here, and of the others, why not."""
    shaped, reason = allowed()
    if not shaped:
        say(f"shaped links: skipped, {reason}")
        return ["loopback"], {link: reason for link in LINKS if link != "loopback"}
    speed, rate = 8 * link_speed(None), bits_per_second(FAST)
    if speed >= HEADROOM * rate:
        return list(LINKS), {}
    why = f"limited by the CPU: an unshaped pair moves {speed / 1e9:.1f} Gbit/s, {HEADROOM * rate / 1e9:.0f} needed"
    say(f"{FAST}: skipped, {why}")
    return [link for link in LINKS if link != FAST], {FAST: why}


@click.command(help=__doc__)
@click.option("--json", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where rows go.")
@click.option("--plot", "picture", type=click.Path(dir_okay=False, path_type=Path), help="Draw it, as a PNG.")
@click.option("--rounds", type=click.IntRange(min=1), help="Runs of each arm. [default: 5, quick: 2]")
@click.option("--shortest", type=click.FloatRange(min=0), help="Seconds of a timed run. [default: 0.6, quick: 0.3]")
@click.option("--seed", default=1, show_default=True, help="Of matrix and order.")
@click.option("--workers", default=4, show_default=True, type=click.IntRange(2, 64), help="Worker processes.")
@click.option("--scale", default=11, show_default=True, type=click.IntRange(7, 14), help="Of the base.")
@click.option("--link", type=click.Choice(LINKS), help="Of the base. [default: 1gbit where links can be shaped]")
@click.option("--quick", is_flag=True, help="Fewer configurations, shorter runs: about three minutes.")
@click.option("--peers/--no-peers", default=True, help="Stock Dask and other libraries too, at the base.")
@click.option("--only", metavar="PATTERN", help="Only configurations whose keys match, such as 'stream/1gbit/*'.")
def main(
    json: Path,
    picture: Path | None,
    rounds: int | None,
    shortest: float | None,
    seed: int,
    workers: int,
    scale: int,
    link: str | None,
    quick: bool,
    peers: bool,
    only: str | None,
) -> None:
    enter()
    links, skipped = usable_links(click.echo)
    link = link or ("1gbit" if "1gbit" in links else "loopback")
    if link not in links:
        raise click.UsageError(f"--link {link} can't be had here: {skipped[link]}")
    base = Case(link=link, scale=scale)
    every = {case.key: case for case in cases(base, links, quick)}
    keys = chosen([SHARED_MEMORY, *every], only)
    if not keys:
        raise click.UsageError(f"--only {only!r} matches none of {', '.join([SHARED_MEMORY, *every])}")
    with_peers = [c.key for c in every.values() if peers and c.is_like(base) and (c.link == link or not quick)]
    plan = Plan(
        base=base,
        cases=[case for key, case in every.items() if key in keys],
        with_peers=with_peers,
        shared_memory=SHARED_MEMORY in keys,
        rounds=rounds or (2 if quick else 5),
        shortest=(0.3 if quick else 0.6) if shortest is None else shortest,
        seed=seed,
        workers=workers,
    )
    bench = Bench(json, plan, click.echo, skipped=skipped)
    bench.save()  # a path that can't be written is said now, not after the first configuration
    bench.run()
    document = bench.document()
    summary = document["summary"]
    click.echo("")
    show(bench.rows, document["environment"], picture, click.echo)
    # part (a) says in its own summary where it beat its oracle
    beaten = [*summary["too_good"], *(one for one in _products(summary) if one["too_good"])]
    if beaten or summary["broken"] or any(not row["ok"] for row in document["rows"]):
        sys.exit(1)


def _products(summary: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what part (a) says, for each number of products."""
    return list(summary["shared_memory"].get("products", {}).values())


if __name__ == "__main__":
    main()
