"""Table and picture of `bench.spmv`, from its rows alone: ``python -m bench.spmv_report FILE.json [--plot PNG]``."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from . import plots
from .environment import one_line
from .report import aligned
from .scores import Row, estimate, values
from .spmv_summary import ADAPTIVE, METRIC, configurations, speedup, summarize

#: heading → reference in the summary
COLUMNS = {
    "dense": "dense",
    "sparse": "sparse",
    "best fixed": "best_fixed",
    "oracle": "oracle",
    "best Dask": "best_peer",
    "best local": "best_local_peer",
}
EXPLANATION = (
    "Each cell: speed-up (the arm's seconds ÷ adaptive's, median of paired rounds) / time saved (1 − 1 ÷ speed-up). "
    "± is A against A. The oracle is a bound, so there less than 1 × is expected."
)


def table(summary: Mapping[str, Any]) -> str:
    """Return one line per configuration, and how to read it."""
    head = ["configuration", "ms per sweep", "±", *COLUMNS]
    lines = [
        [key, f"{1000 * seconds:.1f}" if math.isfinite(seconds) else "failed", f"{100 * wide:.1f} %"]
        + [_cell(summary, key, name) for name in COLUMNS.values()]
        for (key, seconds), wide in zip(
            summary["adaptive_sweep_seconds"].items(), summary["a_against_a"].values(), strict=True
        )
    ]
    return "\n".join([aligned([head, *lines]), EXPLANATION])


def _cell(summary: Mapping[str, Any], key: str, reference: str) -> str:
    ratio = summary.get(f"speedup_vs_{reference}", {}).get(key)
    if ratio is None:
        return "–"
    saved = summary[f"time_saved_vs_{reference}"][key]
    # far below 1 a share says nothing
    return f"{ratio:.2f} × / {100 * saved:+.0f} %" if ratio > 0.1 else f"{ratio:.2g} ×"


def findings(summary: Mapping[str, Any]) -> list[str]:
    """Return a line for each loss, each failed run, and each configuration in which the oracle was beaten."""
    lines = [
        f"loses: {one['configuration']}, to {one['arm']}: {one['speedup']:.3g} × (± {100 * one['a_against_a']:.1f} %)"
        for one in summary["losses"]
    ]
    lines += [
        f"failed: {one['configuration']}, {one['arm']}, round {one['round']}: {one['error']}"
        for one in summary["failed"]
    ]
    lines += [
        f"ERROR OF THE MEASUREMENT: {one['configuration']}: adaptive is {one['speedup']:.2f} × as fast as the oracle "
        f"(A against A ± {100 * one['a_against_a']:.1f} %)"
        for one in summary["too_good"]
    ]
    return lines


def plot(rows: Sequence[Row], path: str | Path, base: str, caption: str | None = None) -> None:
    """Draw into a PNG: seconds by arm at the base on each link; speed-up against dense share, and against scale.

    Parameters
    ----------
    rows : sequence of rows
    path : str or Path
    base : str
        Key of the base configuration.
    caption : str, optional
        Where it was measured.
    """
    found = configurations(rows)
    links = [key for key in found if _like(key, base, 1)]
    made = plots.figure_of(5.5 * max(2, len(links)), 9.5)
    top, below = made.subfigures(2, 1, height_ratios=[1.1, 1])
    for axes, key in zip(top.subplots(1, max(1, len(links)), squeeze=False)[0], links, strict=False):
        _bars(axes, found[key])
        axes.set_title(key, fontsize=9, color=plots.INK)
    for axes, place, name in zip(below.subplots(1, 2), (3, 4), ("dense share, per cent", "scale"), strict=True):
        _lines(axes, found, [key for key in found if _like(key, base, place)], place)
        varied = base.split("/")
        varied[place] = "…"
        axes.set_title("/".join(varied), fontsize=9, color=plots.INK)
        axes.set_xlabel(name, fontsize=9, color=plots.INK)
    plots.finish(made, path, None, caption)


def _like(key: str, base: str, place: int) -> bool:
    """Say whether a configuration differs from the base in one place at most.

    >>> _like("stream/1gbit/x", "stream/loopback/x", 1), _like("stream/1gbit/x", "stream/loopback/x", 2)
    (True, False)
    """
    ours, theirs = key.split("/"), base.split("/")
    return len(ours) == len(theirs) and ours[:place] + ours[place + 1 :] == theirs[:place] + theirs[place + 1 :]


def _bars(axes: Any, rows: Sequence[Row]) -> None:
    """Draw milliseconds of a sweep by arm, the slowest on top; local libraries, where nothing moves, are left out."""
    arms = dict.fromkeys(r["arm"] for r in rows if r["kind"] != "local" and not r["arm"].endswith(" again"))
    shown = {arm: estimate(values(rows, arm, METRIC)) for arm in arms}
    ranked = sorted((arm for arm in arms if math.isfinite(shown[arm].median)), key=lambda arm: shown[arm].median)
    for place, arm in enumerate(ranked):
        middle, low, high = shown[arm].median, shown[arm].low, shown[arm].high
        axes.barh(place, 1e3 * middle, height=0.62, color=plots.ADAPTIVE if arm == ADAPTIVE else plots.OTHER)
        ends = [1e3 * low, 1e3 * (high if math.isfinite(high) else middle)]
        axes.plot(ends, [place, place], color=plots.INK, linewidth=1.2)
        label = "" if arm == ADAPTIVE else f" {speedup(rows, arm).median:.2f} ×"
        axes.text(ends[1], place, label, va="center", fontsize=8, color=plots.INK)
    axes.set_yticks(range(len(ranked)), ranked)
    axes.margins(x=0.2)
    axes.set_xlabel("ms per sweep (×: ÷ adaptive)", fontsize=8, color=plots.SOFT)
    plots.tidy(axes)


def _lines(axes: Any, found: Mapping[str, Sequence[Row]], keys: Sequence[str], place: int) -> None:
    """Draw the speed-up over each arm of ours against one part of the key."""
    at = sorted((int(key.split("/")[place]), key) for key in keys)
    for arm in ("dense", "sparse", "light", "full", "oracle"):
        ratios = [speedup(found[key], arm) for _, key in at]
        spread = [[r.median - r.low for r in ratios], [r.high - r.median for r in ratios]]
        axes.errorbar(
            [x for x, _ in at], [r.median for r in ratios], spread, label=arm, marker="o", markersize=3, capsize=2
        )
    axes.axhline(1, color=plots.SOFT, linewidth=0.8, linestyle="--")
    axes.set_xticks([x for x, _ in at])
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.tick_params(which="minor", labelsize=7)
    axes.set_ylabel("seconds ÷ adaptive's", fontsize=9, color=plots.INK)
    axes.legend(fontsize=8, frameon=False)
    plots.tidy(axes)


@click.command(help=__doc__)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--plot", "picture", type=click.Path(dir_okay=False, path_type=Path), help="Draw it too, as a PNG.")
def main(file: Path, picture: Path | None) -> None:
    document = json.loads(file.read_text(encoding="utf-8"))
    # part (a) has a report of its own
    rows = [row for row in document["rows"] if "kind" in row]
    show(rows, document["environment"], picture, click.echo)


def show(rows: Sequence[Row], where: Mapping[str, Any], picture: Path | None, say: Callable[[str], object]) -> None:
    """Print table, findings and where it was measured; draw, where that is wanted and matplotlib is installed."""
    summary = summarize(rows)
    if rows:
        say(table(summary))
    for line in findings(summary):
        say(line)
    say(one_line(where))
    if picture is not None and rows:
        try:
            plot(rows, picture, where["base"], one_line(where))
        except ModuleNotFoundError as error:
            say(f"{picture}: skipped, {error}; later: python -m bench.spmv_report FILE.json --plot {picture}")


if __name__ == "__main__":
    main()
