"""What policies cost beside the exact optimum: ``python -m bench.policies --json FILE [--traces DIR] [--plot PNG]``.

Policies: `work_function` (the default), `alpha_beta`, and staying in one state: `always_off`, `always_on` (the highest
state), and where there are more than two, `always_light` and so on. Runs: generated ones (`policy_traces.py` says how)
and the recorded traces in a folder. Families of generated runs: *square* (phases of 1 to 200 ticks, in which the worse
state costs 20 %, 100 % or 500 % more), *bursts* (rare short phases), *drift* (across the band and back; random walks)
and *noise* (white, and squares with noise).

``summary`` by policy: ``worst_ratio``, over all runs, of (cost − the bound's constant) ÷ optimum; ``median_ratio`` of
cost ÷ optimum over runs with phases of at least 20 ticks, ``median_ratio_short`` over the others, ``worst_ratio_long``
over the former, ``n`` runs. Bars: no run of `work_function` above its bound, its ``median_ratio`` at most 1.1. Nothing
is timed and the generated runs come from a seed, so the figures are exact.

A policy is taken to decide about a sample before it is paid, as the bound has it. On a cluster a decision comes up to
a tick late: ``median_ratio_late`` and ``worst_ratio_late`` are those of ``median_ratio`` and ``worst_ratio`` with each
decision acted on from the next sample on; no bound is claimed for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import click

from asafess.core.optimum import cost_of
from asafess.core.score import scores
from asafess.core.work_function import bound

from .environment import environment, one_line
from .harness import write_json
from .plots import ADAPTIVE, GRID, INK, SOFT, figure_of, finish, tidy
from .policy_traces import RECORDED, Run, generated, recorded
from .report import aligned

#: ticks from which on a phase is long
LONG = 20
#: the largest median of cost ÷ optimum over runs with long phases
BAR = 1.1
#: what rounding may add to a ratio
ROUNDING = 1 + 1e-9
POLICIES = ("always_off", "always_on", "alpha_beta", "work_function")
TRACES = Path(__file__).parent / "results" / "traces"
COLOURS = {"always_off": "#b9c2cc", "always_on": SOFT, "alpha_beta": "#c98b1b", "work_function": ADAPTIVE}

Row = dict[str, Any]


def rows_of(run: Run) -> list[Row]:
    """Return a row for each policy on a run."""
    factor, constant = bound(len(run.steps.states), run.steps.switch, run.excess)
    found = {one.policy: one for one in scores(run.steps, dwell=run.dwell, excess=run.excess)}
    least = found.pop("optimum").cost
    found.setdefault("always_on", found[f"always_{run.steps.states[-1]}"])
    costs, switch, start = run.steps.costs, run.steps.switch, run.steps.states.index(run.steps.start)

    def late(states: Sequence[int]) -> float:
        return (cost_of((start, *states[:-1]), costs, switch, start) - constant) / least

    return [
        {
            "trace": run.name,
            "family": run.family,
            "phase_ticks": run.phase_ticks,
            "samples": len(run.steps.times),
            "policy": name,
            "cost": one.cost,
            "optimum": least,
            "ratio": one.cost / least,
            "bound_ratio": (one.cost - constant) / least,
            "bound": factor,
            "late_ratio": late(one.states),
            "switches": one.switches,
        }
        for name, one in found.items()
    ]


def of(rows: Iterable[Row], **wanted: Any) -> list[Row]:
    """Return the rows that have these values."""
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def _median(rows: Sequence[Row], ratio: str = "ratio") -> float | None:
    return median(row[ratio] for row in rows) if rows else None


def _worst(rows: Sequence[Row], ratio: str = "bound_ratio") -> float | None:
    return max((row[ratio] for row in rows), default=None)


def policies_of(rows: Iterable[Row]) -> list[str]:
    """Return the policies: those that every run has first."""
    return list(dict.fromkeys([*POLICIES, *(row["policy"] for row in rows)]))


def summarize(rows: Sequence[Row]) -> dict[str, Any]:
    """Return what the rows say, by policy."""
    summary: dict[str, Any] = {}
    for policy in policies_of(rows):
        own = of(rows, policy=policy)
        long = [row for row in own if row["phase_ticks"] >= LONG]
        short = [row for row in own if row["phase_ticks"] < LONG]
        summary[policy] = {
            "worst_ratio": _worst(own),
            "median_ratio": _median(long),
            "median_ratio_short": _median(short),
            "worst_ratio_long": _worst(long),
            "median_ratio_late": _median(long, "late_ratio"),
            "worst_ratio_late": _worst(own, "late_ratio"),
            "n": len(own),
        }
    own = of(rows, policy="work_function")
    middle = summary["work_function"]["median_ratio"]
    summary["work_function"]["held"] = {
        "worst_ratio": all(row["bound_ratio"] <= row["bound"] * ROUNDING for row in own),
        "median_ratio": middle is not None and middle <= BAR,
    }
    return summary


# ---- what is shown


def _number(number: float | None) -> str:
    return "–" if number is None else f"{number:.3f}"


def _families(rows: Sequence[Row]) -> str:
    families = list(dict.fromkeys(row["family"] for row in rows))
    lines = [["cost ÷ optimum, median (worst)", *families]]
    for policy in policies_of(rows):
        cells = [of(rows, policy=policy, family=family) for family in families]
        lines.append([policy, *(f"{_number(_median(one))} ({_number(_worst(one))})" for one in cells)])
    runs = [str(len({row["trace"] for row in of(rows, family=family)})) for family in families]
    return aligned([*lines, ["runs", *runs]])


def _squares(rows: Sequence[Row]) -> str:
    squares = of(rows, family="square")
    phases = sorted({row["phase_ticks"] for row in squares})

    def line(policy: str) -> list[str]:
        return [policy, *(_number(_median(of(squares, policy=policy, phase_ticks=one))) for one in phases)]

    return aligned([["square waves, ticks of a phase", *map(str, phases)], *map(line, POLICIES)])


def _traces(rows: Sequence[Row]) -> str:
    own = of(rows, family=RECORDED)
    policies = [policy for policy in policies_of(own) if of(own, policy=policy)]
    lines = [["recorded", "ticks of a phase", *policies, "switches of work_function"]]
    for name in dict.fromkeys(row["trace"] for row in own):
        by = {row["policy"]: row for row in of(own, trace=name)}
        cells = [_number(by[policy]["ratio"] if policy in by else None) for policy in policies]
        last = by["work_function"]
        lines.append([name, str(last["phase_ticks"]), *cells, str(last["switches"])])
    return aligned(lines)


def _bars(rows: Sequence[Row], summary: Mapping[str, Any]) -> Iterable[str]:
    found = summary["work_function"]
    said = {True: "held", False: "not held"}
    nearest = max(of(rows, policy="work_function"), key=lambda row: row["bound_ratio"] / row["bound"])
    yield (
        f"bound: {said[found['held']['worst_ratio']]}: worst_ratio {found['worst_ratio']:.3f}; nearest to it "
        f"{nearest['trace']!r}, {nearest['bound_ratio']:.3f} ≤ {nearest['bound']:g}"
    )
    yield (
        f"median_ratio ≤ {BAR}: {said[found['held']['median_ratio']]}: {_number(found['median_ratio'])} with phases of "
        f"at least {LONG} ticks ({_number(found['median_ratio_short'])} with shorter ones)"
    )
    yield (
        f"each decision a sample late: median_ratio {_number(found['median_ratio_late'])}, "
        f"worst_ratio {found['worst_ratio_late']:.3f} (no bound is claimed)"
    )


def plot(rows: Sequence[Row], path: Path) -> None:
    """Draw cost ÷ optimum over the length of a phase: each run a dot, and a line through the medians."""
    made = figure_of(8, 4.5)
    axes = made.subplots()
    axes.set_xscale("log")
    axes.set_yscale("log")
    for policy in POLICIES:
        own = of(rows, policy=policy)
        colour = COLOURS[policy]
        ticks, ratios = [row["phase_ticks"] for row in own], [row["ratio"] for row in own]
        axes.plot(ticks, ratios, ".", color=colour, markersize=4, alpha=0.5, markeredgewidth=0)
        common = sorted({one for one in ticks if ticks.count(one) >= 3})
        middles = [_median(of(own, phase_ticks=one)) for one in common]
        axes.plot(common, middles, color=colour, linewidth=2, label=policy)
    axes.axvline(LONG, color=SOFT, linewidth=0.8, linestyle=(0, (3, 2)))
    axes.axhline(BAR, color=SOFT, linewidth=0.8, linestyle=(0, (3, 2)))
    for axis, marks in (
        (axes.xaxis, [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000]),
        (axes.yaxis, [1, 1.1, 1.5, 2, 3, 5]),
    ):
        axis.set_ticks(marks, [f"{mark:g}" for mark in marks])
        axis.set_ticks([], minor=True)
    axes.set_xlabel("ticks of a phase", fontsize=9, color=INK)
    axes.set_ylabel("cost ÷ optimum", fontsize=9, color=INK)
    axes.grid(color=GRID)
    axes.legend(frameon=False, fontsize=9)
    tidy(axes)
    caption = f"{len({row['trace'] for row in rows})} runs; lines: medians; dashed: the bar, 1.1 from 20 ticks on"
    finish(made, path, "What policies cost beside the exact optimum", caption)


@click.command(help=__doc__)
@click.option("--json", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write all rows there.")
@click.option("--traces", type=click.Path(file_okay=False, path_type=Path), default=TRACES, help="Recorded runs.")
@click.option("--plot", "picture", type=click.Path(dir_okay=False, path_type=Path), help="Draw a PNG there.")
@click.option("--seed", default=1, show_default=True, help="Of noise and random walks.")
@click.option("--small", is_flag=True, help="Fewer and shorter generated runs: to see that it runs.")
def main(path: Path | None, traces: Path, picture: Path | None, seed: int, small: bool) -> None:
    runs = [*generated(small, seed), *recorded(traces, click.echo)]
    rows = [row for run in runs for row in rows_of(run)]
    summary = summarize(rows)
    where = {**environment(), "job": {"seed": seed, "small": small}}
    if path is not None:
        write_json(path, summary, rows, where)
    click.echo(one_line(where))
    tables = [_families(rows), _squares(rows), *([_traces(rows)] if of(rows, family=RECORDED) else [])]
    click.echo("\n\n".join(["", *tables, "\n".join(_bars(rows, summary))]).lstrip("\n"))
    if picture is not None:
        try:
            plot(rows, picture)
        except ModuleNotFoundError as error:
            click.echo(f"no plot: {error}")
    if not summary["work_function"]["held"]["worst_ratio"]:
        raise click.ClickException("a proven bound does not hold: see the rows of work_function")


if __name__ == "__main__":
    main()
