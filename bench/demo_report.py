"""What the demo prints, draws and writes: what was slow, what was switched, when and why, and what it gained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from . import report
from .demo_story import gained, switched, told
from .environment import one_line
from .harness import write_json
from .scores import AGAIN, estimate, half_width, paired_ratios


def show(document: Mapping[str, Any], say: Callable[[str], object] = print) -> None:
    """Print the table, the picture's run with its switches and their causes, and where it was measured."""
    columns = ["bytes_moved", "moving_seconds", "compressing_seconds", "multiplying_seconds", "dask_seconds"]
    say("")
    say(report.table(document["rows"], against="adaptive", columns=columns))
    say("")
    say("The picture's run, which begins with compression pinned off:")
    for line in told(document["summary"]["phases"], document["events"]):
        say(line)
    say("")
    for line in conclusion(document):
        say(line)
    say(one_line(document["environment"]))


def in_short(document: Mapping[str, Any]) -> str:
    """Return one line: each arm's seconds ÷ adaptive's, and how far that arm is from itself."""
    summary = document["summary"]
    ratios = {
        "dense": summary["speedup_vs_dense"],
        "sparse": summary["speedup_vs_sparse"],
        f"{summary['best_fixed']}, the best fixed state": summary["speedup_vs_best_fixed"],
    }
    itself = 100 * half_width(estimate(paired_ratios(document["rows"], "adaptive" + AGAIN, "adaptive")))
    return "; ".join(f"{arm} {ratio:.2f} ×" for arm, ratio in ratios.items()) + f" (the same arm: ± {itself:.0f} %)"


def conclusion(document: Mapping[str, Any]) -> list[str]:
    """Return what was slow, what was switched, and what it gained, in plain words."""
    summary, rows = document["summary"], document["rows"]
    dense = [row for row in rows if row["arm"] == "dense" and row["ok"]]
    if not dense or summary["speedup_vs_dense"] is None:
        return ["some arm has failed: there is nothing to conclude"]
    moving = float(np.median([row["moving_seconds"] / row["seconds"] for row in dense]))
    most = summary["switches"]
    timed = "begins in the state that the link implies" + (
        " and stays there" if most <= 1 else f" and makes up to {most} switches, the first one included"
    )
    factor = gained(summary["phases"])
    return [
        f"What was slow: in *dense* the average worker is fetching panels {moving:.0%} of the time.",
        f"What was switched: in the timed runs, which only move panels, *adaptive* {timed}. In the picture's run, "
        f"which begins pinned to off, {switched(document['events'])}"
        + (f"; a sweep takes {factor:.2f} × as long pinned." if factor else "."),
        f"What it gained: *dense* takes {summary['speedup_vs_dense']:.2f} × as long as *adaptive*, *sparse* "
        f"{summary['speedup_vs_sparse']:.2f} ×, the best fixed state ({summary['best_fixed']}) "
        f"{summary['speedup_vs_best_fixed']:.2f} ×; the point of *adaptive* is that nobody had to choose that state. "
        f"That *adaptive* is at most 3 % slower than it: {summary['at_most_3_percent_behind_best_fixed']}.",
        f"Every result was checked; the largest error was {summary['max_abs_error']:.2g}.",
    ]


def save(document: Mapping[str, Any], json: str | None, plot: str | None) -> None:
    """Write the JSON file and the picture, where wanted."""
    if json:
        write_json(Path(json), document["summary"], document["rows"], document["environment"], document["events"])
    if plot:
        from .plots import plot_timeline

        plot_timeline(
            document["events"],
            plot,
            rows=document["rows"],
            against="adaptive",
            caption=one_line(document["environment"]),
        )
