"""Tables of a measurement, made from its rows alone: ``python -m bench.report FILE.json [--plot PNG]``.

Not covered here: the numbers themselves (`scores.py`) and the pictures (`plots.py`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import click

from .environment import one_line
from .plots import plot_arms, plot_timeline
from .scores import (
    AGAIN,
    WIDEST_AGAINST_ITSELF,
    Row,
    arm_names,
    estimate,
    half_width,
    paired_ratios,
    timed,
    trimmed_mean,
    valid,
    values,
)

__all__ = ["against_itself", "failures", "plot_arms", "plot_timeline", "render", "table"]

_MIB = 2**20


def _heading(figure: str) -> str:
    """Return the heading of a figure's column, with its unit.

    >>> _heading("bytes_moved"), _heading("moving_seconds"), _heading("switches")
    ('moved MiB', 'moving s', 'switches')
    """
    words = figure.replace("_", " ").split()
    if "bytes" in words:
        return " ".join([*(w for w in words if w != "bytes"), "MiB"]).strip()
    if words[-1] == "seconds":
        return " ".join([*words[:-1], "s"])
    return " ".join(words)


def _number(figure: str, numbers: Sequence[float]) -> str:
    if not numbers:
        return "–"
    middle = median(numbers)
    if "bytes" in figure.split("_"):
        return f"{middle / _MIB:.1f}"
    if figure.endswith("seconds"):
        return f"{middle:.3f}"
    return f"{middle:.0f}" if middle == round(middle) else f"{middle:.4g}"


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Return cells as columns: the first to the left, the others to the right."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    out = []
    for line in lines:
        cells = [line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))]
        out.append("  ".join(cells).rstrip())
    return "\n".join(out)


def against_itself(rows: Sequence[Row]) -> str | None:
    """Return the name of the arm that ran twice per round, None if there is none."""
    names = arm_names(timed(rows))
    return next((n for n in names if n + AGAIN in names), None)


def _itself_line(rows: Sequence[Row]) -> str:
    name = against_itself(rows)
    if name is None:
        return "A against A was not measured: what follows can't be told from noise."
    ratio = estimate(paired_ratios(rows, name + AGAIN, name))
    wide = half_width(ratio)
    line = f"A against A ({name} again ÷ {name}, {ratio.n} rounds): median {ratio.median:.3f}, "
    line += f"{_spread(ratio.n)} {ratio.low:.3f} to {ratio.high:.3f}, half-width ±{100 * wide:.1f} %"
    if wide > WIDEST_AGAINST_ITSELF:
        line += f". Wider than ±{100 * WIDEST_AGAINST_ITSELF:.0f} %: nothing near 1 is decided here."
    return line


def _spread(runs: int) -> str:
    """Return what the interval of so many runs is: of five or fewer it is no more than their range."""
    return "95 % interval" if runs > 5 else "range"


def failures(rows: Iterable[Row]) -> list[str]:
    """Return a line for each failed run, warm-up included."""
    found = []
    for row in rows:
        if not row["ok"]:
            where = "warm-up" if row.get("warmup") else f"round {row['round']}"
            first_line = (str(row["error"]).splitlines() or ["no reason given"])[0]
            found.append(f"failed: {row['arm']}, {where}: {first_line}")
    return found


def table(rows: Sequence[Row], against: str | None = None, columns: Sequence[str] | None = None) -> str:
    """Return the measurement as aligned plain text, A against A first and failed runs last.

    Parameters
    ----------
    rows
        As the harness or a JSON file has them.
    against
        The arm that the others are compared with: "ratio" is arm ÷ this one, paired per round, and "time saved" what
        this one saves against the arm. Left out: the arm that ran twice.
    columns
        Figures to show (medians), by their names in the rows. Left out: all that are numbers, "bytes…" first.
    """
    rows = list(rows)
    counted = timed(rows)
    # in the order of the warm-up, which is the program's own; the rounds are shuffled
    names = [n for n in arm_names(rows) if not n.endswith(AGAIN)]
    if not counted:
        raise ValueError("no timed run among the rows: measure at least one round")
    against = against or against_itself(rows) or names[0]
    if against not in names:
        raise ValueError(f"against={against!r}: the arms are {', '.join(names)}")
    figures = _figures(counted) if columns is None else list(columns)
    runs = sorted({len(values(rows, n)) for n in names})
    spread = _spread(runs[0])
    head = ["arm", "median s", spread, "trimmed mean s", *map(_heading, figures)]
    head += [f"÷ {against}", spread, "time saved"]
    lines = [head, *([name, *_cells(rows, name, against, figures)] for name in names)]
    counts = " to ".join(str(n) for n in sorted({runs[0], runs[-1]})) + " runs per arm"
    counts += ", best and worst dropped in the mean" if runs[0] > 2 else ""
    return "\n".join([_itself_line(rows), counts, "", aligned(lines), *failures(rows)])


def _figures(rows: Sequence[Row]) -> list[str]:
    own = {"arm", "round", "order", "warmup", "seconds", "ok", "error"}
    names = dict.fromkeys(
        k for r in rows for k, v in r.items() if k not in own and isinstance(v, int | float) and not isinstance(v, bool)
    )
    return sorted(names, key=lambda k: "bytes" not in k.split("_"))


def _cells(rows: Sequence[Row], name: str, against: str, figures: Sequence[str]) -> list[str]:
    ran_well = [r for r in timed(rows, name) if r["ok"]]
    shown = [_number(f, [r[f] for r in ran_well if isinstance(r.get(f), int | float)]) for f in figures]
    if not valid(rows, name):
        failed = len(timed(rows, name)) - len(ran_well)
        return [f"{failed} failed", "–", "–", *["–"] * len(figures), "–", "–", "–"]
    seconds, mean = estimate(values(rows, name)), trimmed_mean(values(rows, name))
    cells = [_seconds(seconds.median), f"{_seconds(seconds.low)} to {_seconds(seconds.high)}", f"{mean:.3f}", *shown]
    if name == against or not valid(rows, against):
        return [*cells, "", "", ""]
    ratio = estimate(paired_ratios(rows, name, against))
    saved = f"{100 * (1 - 1 / ratio.median):+.1f} %" if 0 < ratio.median < math.inf else "–"
    return [*cells, f"{ratio.median:.3f} ×", f"{ratio.low:.3f} to {ratio.high:.3f}", saved]


def _seconds(number: float) -> str:
    return f"{number:.3f}" if math.isfinite(number) else "failed"


def render(document: Mapping[str, Any], against: str | None = None) -> str:
    """Return a whole JSON file as text: table, summary, where it was measured."""
    parts = [table(document["rows"], against)] if document.get("rows") else []
    parts += [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in document.get("summary", {}).items()]
    if document.get("environment"):
        parts.append(one_line(document["environment"]))
    return "\n".join(parts)


@click.command(help=__doc__)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--against", help="The arm that the others are compared with; default: the one that ran twice.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw it too, as a PNG.")
def main(file: Path, against: str | None, plot: Path | None) -> None:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        text = render(document, against)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise click.ClickException(f"{file} is not a measurement of ours: {error}") from error
    click.echo(text)
    if plot is not None:
        where = one_line(document["environment"]) if document.get("environment") else None
        if document.get("events"):
            plot_timeline(document["events"], plot, rows=document["rows"], against=against, caption=where)
        else:
            plot_arms(document["rows"], plot, against=against, caption=where)


if __name__ == "__main__":
    main()
