"""What ``make demo`` runs: the main job at two scales, on loopback and on links of 1 Gbit/s."""

from __future__ import annotations

from pathlib import Path

import click

from .demo import Job, demo
from .demo_report import in_short, save, show
from .links import allowed, enter, local_cluster, shaped_cluster

LINKS = ("loopback", "1gbit")
SCALES = (11, 13)


@click.command(help=__doc__)
@click.option("--workers", default=4, show_default=True, type=click.IntRange(2, 64), help="Worker processes.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(min=1), help="Runs of each arm.")
@click.option("--link", "links", multiple=True, default=LINKS, show_default=True, help="loopback, or a rate.")
@click.option(
    "--out", default="out", show_default=True, type=click.Path(path_type=Path), help="Folder for the results."
)
def main(workers: int, rounds: int, links: tuple[str, ...], out: Path) -> None:
    """Run everything and write a JSON file and a picture for each."""
    enter()
    out.mkdir(parents=True, exist_ok=True)
    shaped, reason = allowed()
    told: list[str] = []
    for link in links:
        if link != "loopback" and not shaped:
            print(f"\nLinks of {link} can't be shaped here: {reason}")
            continue
        print(f"\n==== {workers} workers on {link} ====")
        with local_cluster(workers) if link == "loopback" else shaped_cluster(workers, rate=link) as cluster:
            for scale in SCALES:
                document = demo(cluster, Job(scale=scale, rounds=rounds))
                show(document)
                name = out / f"demo-{link}-scale{scale}"
                save(document, f"{name}.json", f"{name}.png")
                told.append(f"{link}, scale {scale}: {in_short(document)}")
                print(f"rows and summary: {name}.json, picture: {name}.png\n")
    print("\n".join(["==== In short: how many times as long as adaptive (below 1: adaptive is slower) ====", *told]))


if __name__ == "__main__":
    main()
